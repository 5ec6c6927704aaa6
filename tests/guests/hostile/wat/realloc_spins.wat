;; Computes for ever when the host asks where its arguments shall lie.
(core module $guest
  (memory (export "memory") 1)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) (unreachable))
  (func (export "execute") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
