;; Returns an error of a kind that there is not.
(core module $guest
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $free))
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16)))
    (local.get $at))
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store8 (i32.const 24) (i32.const 77))
    (i32.const 16)))
