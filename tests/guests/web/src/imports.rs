//! The two interfaces that no crate brings: only what is called of them is declared.

mod bindings {
    wit_bindgen::generate!({
        generate_all,
        inline: r#"
            package windlass-test:web;

            world web {
                import wasi:config/store@0.2.0-rc.1;
                import wasi:logging/logging;
            }

            package wasi:config@0.2.0-rc.1 {
                interface store {
                    variant error { upstream(string), io(string) }
                    get: func(key: string) -> result<option<string>, error>;
                }
            }

            package wasi:logging {
                interface logging {
                    enum level { trace, debug, info, warn, error, critical }
                    log: func(level: level, context: string, message: string);
                }
            }
        "#,
    });
}

use bindings::wasi::config::store;
use bindings::wasi::logging::logging::{self, Level};

pub(crate) fn config(key: &str) -> Option<String> {
    store::get(key).ok().flatten()
}

pub(crate) fn log(context: &str, message: &str) {
    for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Critical] {
        logging::log(level, context, message);
    }
}
