;; Traps when it is asked what it is.
(core module $guest
  (memory (export "memory") 1)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "describe") (result i32)
    (unreachable))
  (func (export "execute") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
