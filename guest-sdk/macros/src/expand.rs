//! The code that the attribute makes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, FnArg, Item, ItemFn, Lit, Meta, ReturnType, Type};

use crate::options::{Backoff, Options, Unique};

const SHAPE: &str = "a task is `fn name(job: &Job, args: Args) -> Result<Output, TaskError>`";

pub(crate) fn expand(options: &Options, item: &Item) -> syn::Result<TokenStream> {
    let Item::Fn(function) = item else {
        return Err(syn::Error::new_spanned(item, format!("only a function can be a task; {SHAPE}")));
    };
    let (args, output) = signature(function)?;
    let name = &function.sig.ident;
    let (title, description) = texts(function);
    let defaults = defaults(options);
    let wants = match &options.wants {
        Some(wants) => quote!(::core::option::Option::Some(#wants)),
        None => quote!(::core::option::Option::None),
    };
    Ok(quote! {
        #function

        // Named, so that a second task is refused by this name and not by a symbol of the linker.
        const _ONE_TASK_PER_COMPONENT: () = {
            struct Component;

            impl ::windlass_guest::expansion::Guest for Component {
                fn execute(
                    job_id: ::std::string::String,
                    args_json: ::std::string::String,
                ) -> ::core::result::Result<::std::string::String, ::windlass_guest::expansion::WireError> {
                    ::windlass_guest::expansion::run::<#args, _>(job_id, &args_json, #name)
                }

                fn describe() -> ::std::string::String {
                    // The output's type is the handler's, named once by its signature.
                    ::windlass_guest::expansion::describe::<#args, #output>(
                        #title,
                        #description,
                        ::core::env!("CARGO_PKG_VERSION"),
                        #defaults,
                        #wants,
                    )
                }
            }

            ::windlass_guest::expansion::export_task!(Component with_types_in ::windlass_guest::bindings);
        };
    })
}

fn signature(function: &ItemFn) -> syn::Result<(&Type, &Type)> {
    let fault = |at: &dyn quote::ToTokens, why: &str| Err(syn::Error::new_spanned(at, format!("{why}; {SHAPE}")));
    let signature = &function.sig;
    if let Some(token) = signature.asyncness {
        return fault(&token, "a task is not async: a job has an instance of its own and may block");
    }
    if !signature.generics.params.is_empty() {
        return fault(&signature.generics, "a task has no type parameters");
    }
    let inputs: Vec<_> = signature.inputs.iter().collect();
    let [FnArg::Typed(job), FnArg::Typed(args)] = inputs[..] else {
        return fault(&signature.inputs, "a task takes a job and its arguments");
    };
    if !matches!(&*job.ty, Type::Reference(job) if job.mutability.is_none()) {
        return fault(&job.ty, "the job is taken as `&Job`");
    }
    let ReturnType::Type(_, result) = &signature.output else {
        return fault(&signature.ident, "a task returns a result");
    };
    match output(result) {
        Some(output) => Ok((&args.ty, output)),
        None => fault(result, "the output's type must be seen here: write `Result<Output, TaskError>`"),
    }
}

/// The first parameter of `Result<…>`, under whatever path it is named.
fn output(result: &Type) -> Option<&Type> {
    let Type::Path(path) = result else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Result")?;
    let syn::PathArguments::AngleBracketed(parameters) = &last.arguments else { return None };
    match parameters.args.first()? {
        syn::GenericArgument::Type(output) => Some(output),
        _ => None,
    }
}

/// The first line of the doc comment, and the rest.
fn texts(function: &ItemFn) -> (String, String) {
    let lines: Vec<String> = function
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(doc) => match &doc.value {
                Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let text = lines.join("\n");
    let (title, description) = text.split_once('\n').unwrap_or((&text, ""));
    (title.trim_end_matches('.').to_owned(), description.trim().to_owned())
}

fn defaults(options: &Options) -> TokenStream {
    let optional = |value: Option<TokenStream>| {
        value.map_or_else(|| quote!(::core::option::Option::None), |value| quote!(::core::option::Option::Some(#value)))
    };
    let queue = optional(options.queue.as_ref().map(|queue| quote!(#queue)));
    let priority = optional(options.priority.map(|priority| quote!(#priority)));
    let max_attempts = optional(options.max_attempts.map(|max| quote!(#max)));
    let timeout_ms = optional(options.timeout_ms.map(|timeout| quote!(#timeout)));
    let backoff = options.backoff.as_ref().map(|backoff| match backoff {
        Backoff::Doubling(base, max) => quote!(.backoff(#base, #max)),
        Backoff::Delays(delays) => quote!(.delays(&[#(#delays),*])),
    });
    let unique = options.unique.as_ref().map(|unique| match unique {
        Unique::Args => quote!(.unique(::core::option::Option::None)),
        Unique::Key(key) => quote!(.unique(::core::option::Option::Some(#key))),
    });
    quote! {
        ::windlass_guest::expansion::Defaults {
            queue: #queue,
            priority: #priority,
            max_attempts: #max_attempts,
            timeout_ms: #timeout_ms,
            backoff: ::core::option::Option::None,
            unique: ::core::option::Option::None,
        }
        #backoff
        #unique
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn fault(item: &Item) -> String {
        expand(&Options::default(), item).unwrap_err().to_string()
    }

    #[test]
    fn a_function_of_the_right_shape_is_taken() {
        let function: ItemFn = parse_quote! {
            /// Greets somebody.
            ///
            /// Kindly.
            fn hello(job: &Job, args: Args) -> Result<Output, TaskError> { todo!() }
        };
        assert!(expand(&Options::default(), &function.clone().into()).is_ok());
        assert_eq!(texts(&function), ("Greets somebody".to_owned(), "Kindly.".to_owned()));
    }

    #[test]
    fn a_function_of_another_shape_is_refused_with_the_right_one() {
        let no_job = parse_quote! { fn hello(args: Args) -> Result<(), TaskError> { todo!() } };
        assert_eq!(fault(&no_job), format!("a task takes a job and its arguments; {SHAPE}"));
        let is_async = parse_quote! { async fn hello(job: &Job, args: Args) -> Result<(), TaskError> { todo!() } };
        assert!(fault(&is_async).starts_with("a task is not async"));
        let no_result = parse_quote! { fn hello(job: &Job, args: Args) {} };
        assert!(fault(&no_result).starts_with("a task returns a result"));
        let owned = parse_quote! { fn hello(job: Job, args: Args) -> Result<(), TaskError> { todo!() } };
        assert!(fault(&owned).starts_with("the job is taken as `&Job`"));
        let alias = parse_quote! { fn hello(job: &Job, args: Args) -> Answer { todo!() } };
        assert!(fault(&alias).starts_with("the output's type must be seen here"));
        let generic = parse_quote! { fn hello<T>(job: &Job, args: T) -> Result<(), TaskError> { todo!() } };
        assert!(fault(&generic).starts_with("a task has no type parameters"));
        let no_function = parse_quote! { struct Hello; };
        assert_eq!(fault(&no_function), format!("only a function can be a task; {SHAPE}"));
    }
}
