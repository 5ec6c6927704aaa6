;; The component around a core module that stands in a file of its own. It exports the smallest world; the
;; module exports `execute`, which is given (job id, its length, arguments, their length) and returns where its result lies.
(component
  {core}
  (core instance $instance (instantiate $guest))
  (type $said (variant (case "retryable" string) (case "fatal" string) (case "snooze" u64) (case "cancelled")))
  (export $task-error "task-error" (type $said))
  (func $execute (param "job-id" string) (param "args-json" string) (result (result string (error $task-error)))
    (canon lift (core func $instance "execute")
      (memory $instance "memory") (realloc (func $instance "realloc"))))
  (export "execute" (func $execute))
  {more})
