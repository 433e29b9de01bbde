#pragma once

// Something of the machine that a definition names. Who may use what is not decided here: room `grant` does.

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::agent {

struct Need {
  enum class Kind : std::uint8_t {
    kHost,      // `url` leads there
    kVariable,  // of the environment: `name`; sent to where `url` leads, or given to a program when that is
                // empty
    kKey,       // a model's key: the variable `name`, sent to where `url` leads
    kDatabase,  // the file or the address of PostgreSQL `name`, which may hold ${NAME}s
    kActivity,  // `name`: NAME@QUEUE
    kCommand,   // a program that is started: `name` is its command line, a JSON list of texts
  };
  Kind kind = Kind::kHost;
  std::string name;
  std::string url;
  bool writes = false;  // kDatabase
};
using Needs = std::vector<Need>;

}  // namespace holdfast::agent
