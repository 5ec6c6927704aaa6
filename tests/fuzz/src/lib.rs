//! What must hold for any bytes at all, one function for each door that they can come in by. They panic if it does not.

mod component;
mod describe;
mod enqueue;
mod grants;
mod schedule;

pub use self::component::component;
pub use self::describe::describe;
pub use self::enqueue::enqueue;
pub use self::grants::grants;
pub use self::schedule::schedule;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs every seed through its target, whole and cut off after each byte.
    fn seeds(name: &str, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            (0..=bytes.len()).for_each(|length| target(&bytes[..length]));
            count += 1;
        }
        assert!(count >= 3, "{name} has {count} seeds");
    }

    #[test]
    fn the_seeds_of_components_hold() {
        seeds("component", super::component);
    }

    #[test]
    fn the_seeds_of_descriptions_hold() {
        seeds("describe", super::describe);
    }

    #[test]
    fn the_seeds_of_requests_hold() {
        seeds("enqueue", super::enqueue);
    }

    #[test]
    fn the_seeds_of_grants_hold() {
        seeds("grants", super::grants);
    }

    #[test]
    fn the_seeds_of_schedules_hold() {
        seeds("schedule", super::schedule);
    }
}
