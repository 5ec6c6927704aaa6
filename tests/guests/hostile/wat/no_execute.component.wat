;; Exports nothing.
(component
)
