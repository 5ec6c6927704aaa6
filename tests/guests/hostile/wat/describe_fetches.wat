;; Has a schema that lies on another machine: a host that follows it asks whom the plugin names.
(core module $guest
  (memory (export "memory") 1)
  (data (i32.const 1024) "{\22args_schema\22:{\22$ref\22:\22http://127.0.0.1:9/schema.json\22}}")
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "describe") (result i32)
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.const 57))
    (i32.const 16))
  (func (export "execute") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
