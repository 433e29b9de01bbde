#include "net/text_body.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "net/content_type.h"

namespace holdfast::net {

namespace {

// A mark outranks the header; it is removed.
std::string marked_charset(std::string_view& body) {
  using namespace std::string_view_literals;
  struct Mark {
    std::string_view bytes, charset;
  };
  static constexpr std::array<Mark, 3> kMarks = {
      {{"\xef\xbb\xbf"sv, "utf-8"}, {"\xff\xfe"sv, "utf-16le"}, {"\xfe\xff"sv, "utf-16be"}}};
  for (const Mark& mark : kMarks) {
    if (!body.starts_with(mark.bytes)) continue;
    body.remove_prefix(mark.bytes.size());
    return std::string(mark.charset);
  }
  return {};
}

bool names_binary(std::string_view type) {
  static constexpr std::array<std::string_view, 9> kBinary = {
      "image/",          "audio/",          "video/",           "font/",           "application/octet-stream",
      "application/pdf", "application/zip", "application/gzip", "application/wasm"};
  if (type.ends_with("+xml") || type.ends_with("+json")) return false;  // image/svg+xml
  return std::any_of(kBinary.begin(), kBinary.end(), [&](auto one) { return type.starts_with(one); });
}

// None: the charset is unknown, or the bytes are none of it.
std::optional<std::string> converted(std::string_view body, const std::string& charset) {
  // A name of the standard library's own may carry options after slashes.
  if (charset.size() > 40 || charset.find('/') != std::string::npos) return std::nullopt;
  // What the web calls by the first name means the second.
  const bool latin = charset == "iso-8859-1" || charset == "latin1" || charset == "us-ascii";
  const iconv_t converter = iconv_open("UTF-8", latin ? "windows-1252" : charset.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string in(body);
  std::string out;
  std::array<char, 4096> buffer{};
  char* from = in.data();
  std::size_t left = in.size();
  bool whole = true;
  while (whole && left > 0) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t result = iconv(converter, &from, &left, &to, &room);
    out.append(buffer.data(), buffer.size() - room);
    whole = result != static_cast<std::size_t>(-1) || errno == E2BIG;
  }
  iconv_close(converter);
  if (!whole || !is_utf8(out)) return std::nullopt;
  return out;
}

// What stands for a body that is not, or not whole, text.
struct NoText {
  std::string what;   // why it is none
  std::string shown;  // what of it can be read
};

std::expected<std::string, NoText> read(const HttpResponse& response) {
  const std::string_view content_type = response.head.header("content-type");
  const std::string type = media_type(content_type);
  const auto binary = [&] {
    return std::unexpected(
        NoText{fmt::format("binary response: {}, {} bytes",
                           type.empty() ? "no content type" : cut_text(type, 100), response.body.size()),
               ""});
  };
  std::string_view body = response.body;
  if (body.empty()) return {};
  if (names_binary(type)) return binary();
  std::string charset = marked_charset(body);
  if (charset.empty()) charset = parameter_of(content_type, "charset");
  if (charset.empty() || charset == "utf-8" || charset == "utf8") {
    if (body.find('\0') != std::string_view::npos) return binary();
    if (is_utf8(body)) return std::string(body);
    if (!type.starts_with("text/")) return binary();
  } else if (auto text = converted(body, charset)) {
    return std::move(*text);
  } else if (body.find('\0') != std::string_view::npos) {
    return binary();
  }
  return std::unexpected(NoText{fmt::format("not readable as {}: what could not be read is marked",
                                            charset.empty() ? "utf-8" : to_utf8(cut_text(charset, 40))),
                                '\n' + to_utf8(body)});
}

}  // namespace

std::string text_body(const HttpResponse& response) {
  auto text = read(response);
  return text ? *std::move(text) : fmt::format("({}){}", text.error().what, text.error().shown);
}

std::expected<std::string, std::string> data_body(const HttpResponse& response) {
  auto text = read(response);
  if (!text) {
    const bool binary = text.error().shown.empty();
    return std::unexpected(
        fmt::format("the response is no text ({})",
                    binary ? text.error().what : text.error().what.substr(0, text.error().what.find(':'))));
  }
  const std::string type = media_type(response.head.header("content-type"));
  if (text->empty() || (type != "application/json" && !type.ends_with("+json"))) return *std::move(text);
  if (const auto json = read_json(*text); !json) {
    return std::unexpected(fmt::format("the response says that it is {}, and is none: {}",
                                       cut_text(type, 100),
                                       bounded_text(std::string(json.error().message()), 300)));
  }
  return *std::move(text);
}

}  // namespace holdfast::net
