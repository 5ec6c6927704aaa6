//! Tells cargo that the migrations are part of this crate: the macro that embeds them cannot.

fn main() {
    println!("cargo::rerun-if-changed=../../../migrations");
}
