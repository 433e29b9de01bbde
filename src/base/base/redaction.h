#pragma once

// Redaction: the values of secrets, and what stands in their place wherever a text is stored, logged,
// streamed or answered: "[secret NAME]". A value is found as it is and as texts carry it: escaped for JSON,
// percent-encoded, in base64. Values of less than 8 bytes are none: they would be found in everything.
//
// Applied before a text is cut, since half a secret is found by nobody. Immutable; any thread; one pass over
// the text, whatever the values and the names are.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

class Redaction {
 public:
  static constexpr std::size_t kMinBytes = 8;

  struct Secret {
    Secret(std::string name_, std::string value_) : name(std::move(name_)), value(std::move(value_)) {}
    std::string name;
    std::string value;
  };

  Redaction() = default;
  explicit Redaction(const std::vector<Secret>& secrets);

  bool touches(std::string_view text) const;
  std::string apply(std::string text) const;

  // A text that comes in pieces: what may be the beginning of a secret is held back until it is known. Not
  // thread-safe; the redaction outlives it.
  class Stream {
   public:
    explicit Stream(const Redaction& redaction) : redaction_(redaction) {}
    // What of the text so far is certain and has not been given out.
    std::string add(std::string_view piece);
    // The rest.
    std::string finish();

   private:
    const Redaction& redaction_;
    std::string held_;
  };

 private:
  struct Needle {
    std::string text;
    std::string in_its_place;
  };

  // Of the text up to `end`: values that begin before `limit` are replaced, those behind it are left.
  std::string replaced(std::string_view text, std::size_t limit, std::size_t& end) const;
  void add(const std::string& text, const std::string& name);

  std::vector<Needle> needles_;
};

}  // namespace holdfast
