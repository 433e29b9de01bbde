#pragma once

// A frame of a model's stream, read for what it says. Servers and the proxies before them send frames that
// say nothing, cut characters in two and write bytes that are no text; none of that is the end of an answer.
// One reader for one stream; not thread-safe.

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::model {

class FrameReader {
 public:
  using Json = nlohmann::ordered_json;

  // The data of an event as JSON; discarded: it is none. Halves of surrogate pairs that stand alone, and
  // bytes that are no UTF-8, are kept until join() has seen what follows.
  Json read(std::string_view data);

  // `text` goes on; `held` is the part of a character that the text before it ended with, and becomes the one
  // that this one ends with. Parts that have met are a character; what stays alone is U+FFFD.
  std::string join(std::string text, std::string& held) const;
  // Every text in a value that is whole.
  void join_all(Json& value) const;

 private:
  bool kept_ = false;  // something is
};

// Whether the data of an event carries nothing: keep-alives of the kinds that are seen in the field.
bool carries_nothing(std::string_view data);
// Whether it is the last frame of those servers that say so: [DONE].
bool says_done(std::string_view data);

}  // namespace holdfast::model
