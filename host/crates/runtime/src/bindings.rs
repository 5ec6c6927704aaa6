//! What is generated from the WIT. Other files name these types only where they implement or call them.

wasmtime::component::bindgen!({
    path: "../../../wit",
    world: "task",
    imports: {
        "windlass:task/job.save-checkpoint": async | trappable,
        "windlass:task/job.load-checkpoint": async | trappable,
        "windlass:task/jobs.enqueue": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
