//! Describes itself in what is not JSON.

wit_bindgen::generate!({ path: "../../../wit", world: "described-task" });

struct Muddled;

impl Guest for Muddled {
    fn execute(_job_id: String, args_json: String) -> Result<String, TaskError> {
        Ok(args_json)
    }

    fn describe() -> String {
        "{ this is not JSON".to_owned()
    }
}

export!(Muddled);
