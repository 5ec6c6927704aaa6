//! What the hostile plugins share: the bindings of the smallest world, and a short way to be a plugin. Each of them is an example
//! of this crate, and becomes a component of its own.

/// The bindings of the world `task`.
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "task",
        pub_export_macro: true,
        default_bindings_module: "hostile::bindings",
    });
}

pub use bindings::TaskError;
pub use bindings::windlass::task::{job, jobs};
pub use serde_json;

/// What a plugin says at its end: JSON for the test that looks at it.
pub type Said = Result<serde_json::Value, TaskError>;

/// Makes a plugin of a function from the arguments, as JSON, to what it says.
#[macro_export]
macro_rules! plugin {
    ($attempt:path) => {
        struct Plugin;

        impl $crate::bindings::Guest for Plugin {
            fn execute(_job_id: String, args_json: String) -> Result<String, $crate::TaskError> {
                let args = $crate::serde_json::from_str(&args_json).unwrap_or_default();
                $attempt(args).map(|said| said.to_string())
            }
        }

        $crate::bindings::export!(Plugin with_types_in $crate::bindings);
    };
}
