;; Calls itself without end, with a frame that the compiler cannot take away.
(core module $guest
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (func $deeper (param i64 i64) (result i64)
    (i64.add
      (call $deeper (i64.add (local.get 0) (local.get 1)) (i64.mul (local.get 0) (local.get 1)))
      (i64.xor (local.get 0) (local.get 1))))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $free))
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16)))
    (local.get $at))
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (i32.wrap_i64 (call $deeper (i64.const 3) (i64.const 5)))))
