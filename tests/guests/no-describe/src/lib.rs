//! The smallest world, without the SDK: returns its arguments.

wit_bindgen::generate!({ path: "../../../wit", world: "task" });

struct Echo;

impl Guest for Echo {
    fn execute(_job_id: String, args_json: String) -> Result<String, TaskError> {
        Ok(args_json)
    }
}

export!(Echo);
