//! A request to enqueue a job.

use serde_json::Value;
use windlass_model::{JsonText, Timestamp};

/// The time of every request here.
const NOW: i64 = 1_795_000_000_000_000;

/// What is accepted is kept as it was sent; what is refused is refused in words; and how a request is laid out changes nothing.
pub fn enqueue(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let now = Timestamp::from_micros(NOW);
    let request = match windlass_api::parse_enqueue(text, now) {
        Ok(request) => request,
        Err(said) => return assert!(!said.is_empty(), "refused without a word"),
    };
    // A number may be too large for a float: it is passed on as it is, and there is nothing here to compare it with.
    let Ok(sent) = serde_json::from_str::<Value>(text) else { return };
    assert_eq!(sent["task"], request.task.as_str());
    same(&sent["args"], Some(&request.args), true);
    same(&sent["metadata"], request.metadata.as_ref(), false);
    let tags = sent["tags"].as_array().cloned().unwrap_or_default();
    assert_eq!(Value::Array(tags), Value::from(request.tags.clone()));
    assert_eq!(sent["max_attempts"].as_u64(), request.max_attempts.map(u64::from));
    assert_eq!(sent["timeout_ms"].as_u64().map(u128::from), request.timeout.map(|span| span.as_millis()));
    let again = windlass_api::parse_enqueue(&sent.to_string(), now).expect("the same request in another layout");
    assert_eq!((again.task, again.queue, again.tags), (request.task, request.queue, request.tags));
    assert_eq!((again.run_at, again.expires_at), (request.run_at, request.expires_at));
}

/// What was kept is what was sent, an object, or absent.
fn same(sent: &Value, kept: Option<&JsonText>, filled_in: bool) {
    match kept {
        Some(kept) => {
            let value: Value = serde_json::from_str(kept.as_str()).expect("what is kept is JSON");
            assert!(value.is_object());
            assert!(value == *sent || filled_in && sent.is_null() && kept.as_str() == "{}");
        }
        None => assert!(sent.is_null()),
    }
}
