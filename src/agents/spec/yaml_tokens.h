#pragma once

// The tokens of a YAML text with their places in it, as libyaml's scanner finds them: what yaml-cpp's nodes
// do not say, and what a file can be laid out by. Pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::spec {

struct YamlToken {
  enum class Kind {
    kMappingStart,   // of a block; takes no room, like the next three
    kSequenceStart,  //
    kBlockEnd,       //
    kKey,            //
    kValue,          // ':'
    kEntry,          // '-'
    kFlowStart,      // '{' or '['
    kFlowEnd,
    kFlowEntry,  // ','
    kPlain,
    kQuoted,
    kBlockScalar,  // with its header and every line that belongs to it
    kAlias,
    kProperty,  // an anchor or a tag
    kMarker,    // '---', '...', a directive
  };
  Kind kind = Kind::kPlain;
  std::size_t start = 0;  // bytes
  std::size_t end = 0;
  int line = 0;    // from 0
  int column = 0;  // in characters, from 0
};

// INVALID_ARGUMENT: it is no YAML, or has '?' keys; "source:line:column: what is wrong". The text has no
// byte-order mark.
Result<std::vector<YamlToken>> yaml_tokens(std::string_view text, std::string_view source);

}  // namespace holdfast::spec
