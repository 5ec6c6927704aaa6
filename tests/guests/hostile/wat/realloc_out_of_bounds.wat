;; Tells the host to write its arguments behind the end of its memory.
(core module $guest
  (memory (export "memory") 1)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x7ffffff0))
  (func (export "execute") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
