#pragma once

// holdfast secret: named secrets of a server, and keys that they are sealed with.

#include <optional>
#include <string>

#include "app/commands.h"

namespace holdfast::app {

struct SecretOptions {
  ApiOptions api;
  std::string name;
  std::optional<std::string> file;  // with the value; none: standard input, or a hidden prompt
  bool exact = false;               // the last line break is part of the value
};
int set_secret(const SecretOptions& options);
int list_secrets(const SecretOptions& options);
int delete_secret(const SecretOptions& options);

struct SecretKeyOptions {
  std::string file;
};
int new_secret_key(const SecretKeyOptions& options);

}  // namespace holdfast::app
