//! What can be loaded, and what is said of what cannot.

use std::time::Duration;

use windlass_model::JsonText;
use windlass_runtime::LoadFault;

use crate::bench::{Bench, LONG, guest_bytes, name, output};

async fn load_error(file: &[u8]) -> String {
    let bench = Bench::bounded(|_| {});
    bench.put("broken.wasm", file);
    bench.runtime.load_all().await;
    assert!(bench.runtime.loaded().is_empty());
    bench.load_error("broken")
}

#[tokio::test]
async fn a_plugin_is_known_by_what_it_says_of_itself() {
    let bench = Bench::with(&["probe", "no-describe"]).await;
    assert_eq!(bench.runtime.loaded(), [name("no-describe"), name("probe")]);
    let probe = bench.info("probe").unwrap().version.unwrap();
    assert_eq!(probe.digest.len(), 64);
    assert_eq!(probe.bytes, guest_bytes("probe").len() as u64);
    assert_eq!(probe.description.title.as_deref(), Some("Probe"));
    assert!(probe.description.args_schema.is_some());
    let plain = bench.info("no-describe").unwrap().version.unwrap();
    assert!(plain.description.args_schema.is_none());
}

#[tokio::test]
async fn arguments_are_checked_against_the_schema() {
    let bench = Bench::with(&["probe", "no-describe"]).await;
    let check = |task: &str, args: &str| bench.runtime.check_args(&name(task), &JsonText::parse(args).unwrap());
    assert_eq!(check("probe", r#"{"do":"sleep","ms":5}"#), Ok(()));
    assert!(!check("probe", r#"{"do":"sleep","ms":"five"}"#).unwrap_err().is_empty());
    assert_eq!(check("no-describe", r#"{"any":1}"#), Ok(()));
    let faults = check("no-describe", "[1]").unwrap_err();
    assert_eq!((faults[0].pointer.as_str(), faults[0].message.as_str()), ("", "the arguments are a JSON object"));
}

#[tokio::test]
async fn a_file_of_random_bytes_is_not_webassembly() {
    assert_eq!(load_error(b"\x7fthis is no component").await, "the file is not WebAssembly");
    assert_eq!(load_error(b"").await, "the file is not WebAssembly");
}

#[tokio::test]
async fn a_core_module_is_told_as_that() {
    let found = load_error(b"\0asm\x01\0\0\0").await;
    assert_eq!(found, "the file is a core module, not a component: build it for wasm32-wasip2");
}

#[tokio::test]
async fn compiled_code_is_refused() {
    let engine = wasmtime::Engine::default();
    let compiled = engine.precompile_component(b"\0asm\x0d\0\x01\0").unwrap();
    assert!(load_error(&compiled).await.starts_with("the file is compiled code (.cwasm)"));
}

#[tokio::test]
async fn a_truncated_component_is_broken() {
    let whole = guest_bytes("probe");
    let found = load_error(&whole[..whole.len() / 2]).await;
    assert!(found.starts_with("the component is broken or uses what this host does not support: "), "{found}");
    assert!(found.contains("out of bounds"), "{found}");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_even_read() {
    let bench = Bench::bounded(|settings| settings.limits.component_bytes = 100);
    bench.put("probe.wasm", &[0; 101]);
    bench.runtime.load_all().await;
    assert_eq!(bench.load_error("probe"), "the file has 101 B, more than the 100 B that a component may have");
}

#[tokio::test]
async fn a_component_without_execute_is_told_what_it_lacks() {
    let found = load_error(b"\0asm\x0d\0\x01\0").await;
    assert!(found.starts_with("the component does not export `execute: func("), "{found}");
}

#[tokio::test]
async fn an_import_that_is_not_offered_is_named() {
    let component = wat::parse_str(r#"(component (import "wasi:nn/graph@0.2.0" (instance (export "load" (func)))))"#);
    let found = load_error(&component.unwrap()).await;
    let hint = "the component imports `wasi:nn/graph@0.2.0`, which this host does not offer: ";
    assert!(found.starts_with(hint), "{found}");
    assert!(found.contains("matching implementation was not found in the linker"), "{found}");
}

#[tokio::test]
async fn drift_of_versions_is_told_in_plain_words() {
    let import = |name: &str| format!(r#"(import "{name}" (instance (export "f" (func))))"#);
    let component = format!("(component {} {})", import("wasi:cli/stdout@0.3.0"), import("windlass:task/job@2.0.0"));
    let found = load_error(&wat::parse_str(component).unwrap()).await;
    let hints = "the component imports `wasi:cli/stdout@0.3.0`; this host offers 0.2.x: build it for wasm32-wasip2; and \
                 `windlass:task/job@2.0.0`; this host speaks windlass:task 1.x: a newer daemon is needed: ";
    assert!(found.starts_with(hints), "{found}");
}

#[tokio::test]
async fn a_function_that_an_interface_lacks_is_named() {
    let component = wat::parse_str(
        r#"(component (import "wasi:random/random@0.2.0" (instance
            (export "get-random-u64" (func (result u64)))
            (export "get-true-dice" (func (result u8))))))"#,
    );
    let found = load_error(&component.unwrap()).await;
    let hint = "the component imports `get-true-dice` of `wasi:random/random@0.2.0`, which this host does not have: ";
    assert!(found.starts_with(hint), "{found}");
}

#[tokio::test]
async fn a_proposal_that_is_off_is_named() {
    let shared = wat::parse_str("(component (core module (memory 1 1 shared)))").unwrap();
    let found = load_error(&shared).await;
    assert!(found.contains("threads"), "{found}");
}

#[tokio::test]
async fn a_component_that_takes_too_long_to_compile_is_refused_and_found_in_the_cache_the_next_time() {
    let cache = tempfile::tempdir().unwrap();
    let bench = |limit| {
        Bench::bounded(|settings| {
            settings.cache_dir = Some(cache.path().to_owned());
            settings.compile_time = limit;
        })
    };
    let hasty = bench(Duration::from_millis(1));
    hasty.put("probe.wasm", &guest_bytes("probe"));
    hasty.runtime.load_all().await;
    let found = hasty.load_error("probe");
    assert_eq!(found, "it takes longer than 1 ms to compile; that goes on, and it is tried again");
    let kept = async {
        while !std::fs::read_dir(cache.path()).unwrap().any(|entry| entry.unwrap().path().extension().is_some()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, kept).await.expect("the thread went on to its end");
    let patient = bench(LONG);
    patient.put("probe.wasm", &guest_bytes("probe"));
    patient.runtime.load_all().await;
    assert_eq!(patient.runtime.loaded(), [name("probe")]);
    let (outcome, _) = patient.run("probe", r#"{"do":"ok","value":7}"#).await;
    assert_eq!(output(&outcome), "7");
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_component_can_be_checked_without_being_served() {
    let bench = Bench::bounded(|settings| settings.limits.component_bytes = 10 << 20);
    bench.put("probe.toml", b"enqueue = []");
    let checked = bench.runtime.check(&name("probe"), guest_bytes("probe")).await.unwrap();
    assert_eq!(checked.digest.len(), 64);
    assert!(bench.runtime.tasks().is_empty());
    bench.put("probe.toml", b"colour = 1");
    let fault = bench.runtime.check(&name("probe"), guest_bytes("probe")).await.unwrap_err();
    assert!(matches!(fault, LoadFault::Grants { .. }), "{fault}");
    let fault = bench.runtime.check(&name("probe"), vec![0; (10 << 20) + 1]).await.unwrap_err();
    assert!(matches!(fault, LoadFault::TooLarge { .. }), "{fault}");
}

#[tokio::test]
async fn an_import_in_another_shape_is_explained() {
    let component = wat::parse_str(
        r#"(component (import "windlass:task/job@1.0.0" (instance (export "attempt" (func (result string))))))"#,
    );
    let found = load_error(&component.unwrap()).await;
    assert!(
        found.starts_with("the component imports something in another shape than this host offers it: "),
        "{found}"
    );
    assert!(found.contains("attempt"), "{found}");
}

#[tokio::test]
async fn a_memory_larger_than_the_limit_is_refused_when_it_is_loaded() {
    let bench = Bench::bounded(|settings| settings.ceiling.memory_bytes = 64 << 20);
    let component = wat::parse_str("(component (core module $m (memory 5000)) (core instance (instantiate $m)))");
    bench.put("a.wasm", &component.unwrap());
    bench.put("probe.toml", b"[limits]\nmemory_bytes = 65536");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let found = bench.load_error("a");
    assert!(found.contains("exceeds the limit"), "{found}");
    let found = bench.load_error("probe");
    assert!(found.starts_with("its memories start with 1."), "{found}");
    assert!(
        found.ends_with("more than its limit of 64 KiB: raise `limits.memory_bytes` in its grants file"),
        "{found}"
    );
}

#[tokio::test]
async fn a_description_that_is_not_json_is_a_load_error() {
    let bench = Bench::with(&["bad-describe"]).await;
    let found = bench.load_error("bad-describe");
    assert!(found.starts_with("`describe` did not return a description as JSON: "), "{found}");
    assert!(bench.runtime.loaded().is_empty());
}

#[tokio::test]
async fn a_granted_directory_that_is_missing_is_a_load_error_that_says_what_to_do() {
    let bench = Bench::bounded(|_| {});
    bench.put("probe.toml", b"enqueue = []\n[[directory]]\nhost = 'exports'\nguest = '/data'\nmode = 'read'");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let path = bench.path("data").join("exports");
    let hint = format!("there is no directory `{}`: make it, or take the grant away", path.display());
    assert!(bench.load_error("probe").ends_with(&hint), "{}", bench.load_error("probe"));
}

#[tokio::test]
async fn a_file_whose_name_is_no_tasks_name_is_passed_over() {
    let bench = Bench::bounded(|_| {});
    bench.put("Not A Task.wasm", &guest_bytes("no-describe"));
    bench.put("notes.txt", b"hello");
    bench.put("ok.wasm", &guest_bytes("no-describe"));
    bench.runtime.load_all().await;
    assert_eq!(bench.runtime.tasks().len(), 1);
}

#[tokio::test]
async fn one_file_can_be_loaded_from_anywhere() {
    let bench = Bench::bounded(|_| {});
    let file = bench.path("data").join("echo.wasm");
    std::fs::write(&file, guest_bytes("no-describe")).unwrap();
    assert_eq!(bench.runtime.load_file(&file).await.unwrap(), name("echo"));
    assert_eq!(bench.runtime.loaded(), [name("echo")]);
    let fault = bench.runtime.load_file(&bench.path("data").join("Echo.wasm")).await.unwrap_err();
    assert!(matches!(fault, LoadFault::Name { .. }));
    let fault = bench.runtime.load_file(&bench.path("data").join("none.wasm")).await.unwrap_err();
    assert!(matches!(fault, LoadFault::Read { .. }));
}

#[tokio::test]
async fn it_works_without_a_cache() {
    let bench = Bench::bounded(|settings| settings.cache_dir = None);
    bench.put("no-describe.wasm", &guest_bytes("no-describe"));
    bench.runtime.load_all().await;
    assert_eq!(bench.runtime.loaded(), [name("no-describe")]);
}
