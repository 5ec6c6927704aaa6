//! Generated from the WIT. No other file names a generated type.

#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::str_to_string,
    reason = "the generated code calls across the component boundary and documents itself in the WIT; which lints it breaks differs from target to target"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "described-task",
    pub_export_macro: true,
    export_macro_name: "export_task",
    default_bindings_module: "windlass_guest::bindings",
    runtime_path: "wit_bindgen::rt",
});
