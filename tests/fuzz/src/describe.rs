//! What a plugin says of itself.

use windlass_model::{JsonText, TaskDescription};
use windlass_runtime::fuzz::check_args;

/// What is taken can be written and read again and says the same; its schema can be made and asked, whatever it is.
pub fn describe(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(description) = TaskDescription::parse(text) else { return };
    let shown = serde_json::to_string(&description).expect("a description can be written");
    let again = TaskDescription::parse(&shown).expect("what was written can be read");
    assert_eq!(shown, serde_json::to_string(&again).expect("it can be written again"));
    let Some(schema) = &description.args_schema else { return };
    for args in ["{}", r#"{"name":"Ada","columns":["a",1],"deep":{"er":[null]}}"#] {
        let args = JsonText::parse(args).expect("these are JSON");
        for fault in check_args(schema, &args).into_iter().flatten() {
            assert!(!fault.is_empty(), "a fault without words");
        }
    }
}
