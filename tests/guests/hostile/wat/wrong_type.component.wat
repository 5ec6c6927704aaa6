;; Exports `execute` of another type: it takes one number.
(component
  (core module $guest (func (export "execute") (param i32) (result i32) (local.get 0)))
  (core instance $instance (instantiate $guest))
  (func $execute (param "job-id" u32) (result u32) (canon lift (core func $instance "execute")))
  (export "execute" (func $execute)))
