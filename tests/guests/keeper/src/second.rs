//! The newer draft of the interface, as far as it differs.

use serde_json::{Value, json};

wit_bindgen::generate!({
    inline: "
        package test:keeper;

        world second {
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
        }

        package wasi:keyvalue@0.2.0-draft2 {
            interface store {
                variant error { no-such-store, access-denied, other(string) }
                record key-response { keys: list<string>, cursor: option<string> }
                resource bucket {
                    set: func(key: string, value: list<u8>) -> result<_, error>;
                    list-keys: func(cursor: option<string>) -> result<key-response, error>;
                }
                open: func(identifier: string) -> result<bucket, error>;
            }
            interface atomics {
                use store.{bucket, error};
                resource cas {
                    new: static func(bucket: borrow<bucket>, key: string) -> result<cas, error>;
                    current: func() -> result<option<list<u8>>, error>;
                }
                variant cas-error { store-error(error), cas-failed(cas) }
                increment: func(bucket: borrow<bucket>, key: string, delta: s64) -> result<s64, error>;
                swap: func(cas: cas, value: list<u8>) -> result<_, cas-error>;
            }
            interface batch {
                use store.{bucket, error};
                get-many: func(bucket: borrow<bucket>, keys: list<string>)
                    -> result<list<tuple<string, option<list<u8>>>>, error>;
            }
        }
    ",
    generate_all,
});

use wasi::keyvalue::atomics::{self, Cas, CasError};
use wasi::keyvalue::{batch, store};

/// Sets, lists, counts down and gets many.
pub(crate) fn walk(name: &str, key: &str) -> Value {
    let bucket = store::open(name).expect("the store opens");
    bucket.set(key, b"5").expect("the value is set");
    let listed = bucket.list_keys(None).expect("the keys are listed").keys;
    let sum = atomics::increment(&bucket, key, -7).expect("the number is there");
    let many = batch::get_many(&bucket, &[key.to_owned(), "none".to_owned()]).expect("the values are there");
    let many: Vec<_> = many.into_iter().map(|(key, value)| (key, value.map(text))).collect();
    let wrong = bucket.list_keys(Some("later")).map_err(|error| error.to_string()).is_err();
    json!({ "listed": listed, "sum": sum, "many": many, "wrong_cursor_is_refused": wrong })
}

/// Two swaps from one look.
pub(crate) fn swap(name: &str, key: &str) -> Value {
    let bucket = store::open(name).expect("the store opens");
    let (first, second) = (look(&bucket, key), look(&bucket, key));
    let first_won = atomics::swap(first, b"first").is_ok();
    let Err(CasError::CasFailed(again)) = atomics::swap(second, b"second") else {
        panic!("the second swap saw what was there before the first");
    };
    let sees = again.current().expect("it looks").map(text);
    let then_won = atomics::swap(again, b"second").is_ok();
    json!({ "first_won": first_won, "then_sees": sees, "then_won": then_won })
}

fn look(bucket: &store::Bucket, key: &str) -> Cas {
    Cas::new(bucket, key).expect("it looks")
}

fn text(value: Vec<u8>) -> String {
    String::from_utf8_lossy(&value).into_owned()
}
