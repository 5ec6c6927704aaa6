//! Asks `authorities` over HTTP, each with `path`, and follows redirects as a client library would. Says what each answered: a
//! status, or the error.

use hostile::Said;
use hostile::serde_json::{Value, json};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};

/// How many redirects are followed.
const HOPS: usize = 5;

fn attempt(args: Value) -> Said {
    let path = args["path"].as_str().unwrap_or("/").to_owned();
    let authorities = args["authorities"].as_array().cloned().unwrap_or_default();
    let answers =
        authorities.iter().filter_map(Value::as_str).map(|authority| (authority.to_owned(), follow(authority, &path)));
    Ok(Value::Object(answers.collect()))
}

fn follow(authority: &str, path: &str) -> Value {
    let (mut authority, mut path) = (authority.to_owned(), path.to_owned());
    for _ in 0..HOPS {
        match get(&authority, &path) {
            Ok((status, Some(location))) if (300..400).contains(&status) => {
                let rest = location.strip_prefix("http://").unwrap_or(&location).to_owned();
                let (next, tail) = rest.split_once('/').unwrap_or((&rest, ""));
                (authority, path) = (next.to_owned(), format!("/{tail}"));
            }
            Ok((status, _)) => return json!({ "status": status, "authority": authority }),
            Err(error) => return json!({ "error": error, "authority": authority }),
        }
    }
    json!({ "error": "too many redirects" })
}

fn get(authority: &str, path: &str) -> Result<(u16, Option<String>), String> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "the scheme is refused".to_owned())?;
    request.set_authority(Some(authority)).map_err(|()| "the authority is refused".to_owned())?;
    request.set_path_with_query(Some(path)).map_err(|()| "the path is refused".to_owned())?;
    let told = |error: ErrorCode| format!("{error:?}");
    let pending = handle(request, None).map_err(told)?;
    pending.subscribe().block();
    let response = pending.get().ok_or("no answer")?.map_err(|()| "taken twice".to_owned())?.map_err(told)?;
    let location = response.headers().get("location").into_iter().next();
    Ok((response.status(), location.and_then(|value| String::from_utf8(value).ok())))
}

hostile::plugin!(attempt);
