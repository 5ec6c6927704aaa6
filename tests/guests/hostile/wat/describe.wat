;; What a component has in addition when its module exports `describe`, which returns where the text lies.
(func $describe (result string)
    (canon lift (core func $instance "describe") (memory $instance "memory") (realloc (func $instance "realloc"))))
  (export "describe" (func $describe))
