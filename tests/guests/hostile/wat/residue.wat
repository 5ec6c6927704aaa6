;; With {"do":"mark"} it leaves a pattern wherever an instance keeps anything: 4 MiB of memory, all 600 elements of a table, a global,
;; and deep frames on the stack. With {"do":"scan"} it says what it finds in its own fresh instance, before it has written anything:
;; [words of memory, elements of the table, globals, pages too many], each at most 9. With {"do":"both"} it does one after the other.
(core module $guest
  (memory (export "memory") 2)
  (table $table 600 600 funcref)
  (global $kept (mut i64) (i64.const 0))
  (func $entry)
  (elem declare func $entry)
  (data (i32.const 1024) "[0,0,0,0]")

  ;; The arguments lie in the second page, which is not looked at.
  (global $free (mut i32) (i32.const 65536))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $free))
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16)))
    (local.get $at))

  (func $deeper (param i64 i64 i32) (result i64)
    (if (result i64) (i32.eqz (local.get 2))
      (then (i64.const 0xa5a5a5a5a5a5a5a5))
      (else (i64.add
        (call $deeper (i64.const 0xa5a5a5a5a5a5a5a5) (local.get 0) (i32.sub (local.get 2) (i32.const 1)))
        (i64.xor (local.get 0) (local.get 1))))))

  (func $mark
    (drop (memory.grow (i32.sub (i32.const 64) (memory.size))))
    (memory.fill (i32.const 4096) (i32.const 0xa5) (i32.const 61440))
    (memory.fill (i32.const 131072) (i32.const 0xa5) (i32.const 4063232))
    (table.fill $table (i32.const 0) (ref.func $entry) (i32.const 600))
    (global.set $kept (call $deeper (i64.const 1) (i64.const 2) (i32.const 1000))))

  ;; How many words from one address to another are not zero.
  (func $words (param $at i32) (param $end i32) (result i32)
    (local $found i32)
    (loop $next
      (local.set $found (i32.add (local.get $found) (i64.ne (i64.load (local.get $at)) (i64.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $found))

  (func $elements (result i32)
    (local $at i32) (local $found i32)
    (loop $next
      (if (i32.eqz (ref.is_null (table.get $table (local.get $at))))
        (then (local.set $found (i32.add (local.get $found) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 600))))
    (local.get $found))

  (func $tell (param $at i32) (param $count i32)
    (i32.store8 (local.get $at)
      (i32.add (i32.const 0x30) (select (local.get $count) (i32.const 9) (i32.lt_u (local.get $count) (i32.const 9))))))

  (func $scan
    (local $pages i32)
    (local.set $pages (i32.sub (memory.size) (i32.const 2)))
    (drop (memory.grow (i32.sub (i32.const 64) (memory.size))))
    (call $tell (i32.const 1025)
      (i32.add (call $words (i32.const 4096) (i32.const 65536)) (call $words (i32.const 131072) (i32.const 4194304))))
    (call $tell (i32.const 1027) (call $elements))
    (call $tell (i32.const 1029) (i64.ne (global.get $kept) (i64.const 0)))
    (call $tell (i32.const 1031) (local.get $pages)))

  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $do i32)
    ;; The first letter of the value.
    (local.set $do (i32.load8_u offset=7 (local.get 2)))
    (if (i32.ne (local.get $do) (i32.const 0x73)) (then (call $mark)))
    (if (i32.ne (local.get $do) (i32.const 0x6d)) (then (call $scan)))
    (i32.store (i32.const 16) (i32.const 0))
    (i32.store (i32.const 24) (i32.const 1024))
    (i32.store (i32.const 28) (i32.const 9))
    (i32.const 16)))
