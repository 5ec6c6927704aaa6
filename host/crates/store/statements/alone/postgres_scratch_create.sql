-- Makes a database. {name}: its name, {like}: the one that it begins as a copy of; neither can be a parameter.
CREATE DATABASE {name} TEMPLATE {like}
