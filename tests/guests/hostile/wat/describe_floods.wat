;; Describes itself in 100 MiB.
(core module $guest
  (memory (export "memory") 1700)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "describe") (result i32)
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.const 104857600))
    (i32.const 16))
  (func (export "execute") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
