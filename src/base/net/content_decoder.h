#pragma once

// ContentDecoder: the body of a response as it was before the server packed it (RFC 9110, section 8.4),
// unpacked piece by piece as it comes. libcurl could do that, but takes a body for whole whose packed bytes
// end early. One for one body; the loop thread's. Whoever takes the pieces bounds them: each is of 64 KiB at
// most.

#include <zlib.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::net {

class ContentDecoder {
 public:
  // False: no more is wanted.
  using Sink = std::function<bool(std::string_view piece)>;

  // So many bytes, at most, come out for each that goes in.
  static constexpr std::size_t kMostExpansion = 1032;

  // Of a `content-encoding`; null: the body is not packed. The error is a sentence without a subject, "packed
  // its body with br, ...".
  static std::expected<std::unique_ptr<ContentDecoder>, std::string> of(std::string_view coding);
  ~ContentDecoder();
  ContentDecoder(const ContentDecoder&) = delete;
  ContentDecoder& operator=(const ContentDecoder&) = delete;

  // False: the sink wants no more, or defect() says what is wrong.
  bool add(std::string_view packed, const Sink& sink);
  // What is wrong with all that has come, now that nothing follows; empty: nothing.
  std::string defect_at_end() const;
  const std::string& defect() const { return defect_; }

 private:
  enum class Coding : std::uint8_t { kGzip, kDeflate };
  explicit ContentDecoder(Coding coding);
  void begin(std::string_view first);
  bool broken(std::string_view why);
  std::string said(std::string_view what) const;

  const Coding coding_;
  z_stream stream_{};
  bool open_ = false;   // stream_ is
  bool ended_ = false;  // and has come to its end
  std::string held_;    // the first byte, until the second says how deflate is meant
  std::string defect_;
  std::string room_;
};

}  // namespace holdfast::net
