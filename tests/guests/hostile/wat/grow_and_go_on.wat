;; Grows as far as it may, takes no for an answer, and ends well with the number of its pages.
(core module $guest
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (data (i32.const 1024) "{\22pages\22:")
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $free))
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16)))
    (local.get $at))
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $at i32) (local $n i32)
    (block $full (loop $more
      (br_if $full (i32.eq (memory.grow (i32.const 16)) (i32.const -1)))
      (br $more)))
    ;; The number in decimal, backwards from a closing bracket.
    (local.set $n (memory.size))
    (local.set $at (i32.const 1049))
    (i32.store8 (local.get $at) (i32.const 0x7d))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 0x30) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (br_if $digit (local.get $n)))
    ;; What is between the name and the number are blanks.
    (memory.fill (i32.const 1033) (i32.const 0x20) (i32.sub (local.get $at) (i32.const 1033)))
    (i32.store (i32.const 16) (i32.const 0))
    (i32.store (i32.const 24) (i32.const 1024))
    (i32.store (i32.const 28) (i32.const 26))
    (i32.const 16)))
