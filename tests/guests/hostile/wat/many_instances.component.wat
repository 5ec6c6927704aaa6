;; One hundred instances of a module, each with a memory and a table of its own.
(component
  (core module $guest
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "execute") (param i32 i32 i32 i32) (result i32) (unreachable)))
  (core instance $instance (instantiate $guest))
  (core module $more (memory 16) (table 1000 funcref))
    (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core
    instance (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more)) (core instance (instantiate $more)) (core instance (instantiate $more)) (core instance
    (instantiate $more))
  (type $said (variant (case "retryable" string) (case "fatal" string) (case "snooze" u64) (case "cancelled")))
  (export $task-error "task-error" (type $said))
  (func $execute (param "job-id" string) (param "args-json" string) (result (result string (error $task-error)))
    (canon lift (core func $instance "execute")
      (memory $instance "memory") (realloc (func $instance "realloc"))))
  (export "execute" (func $execute)))
