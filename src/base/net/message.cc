#include "net/message.h"

#include "net/problem.h"

namespace holdfast::net {

namespace {

std::string_view find(const std::vector<Header>& list, std::string_view name) {
  for (const Header& entry : list) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  return find(headers, name);
}
std::string_view Request::param(std::string_view name) const {
  return find(params, name);
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const Header& entry : query) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

Responder::~Responder() {
  if (exchange_) {
    exchange_->reply(Problem(500, "internal", "the request was dropped without an answer").response());
  }
}

void Responder::reply(Response response) {
  if (auto exchange = std::move(exchange_)) exchange->reply(std::move(response));
}

std::shared_ptr<Stream> Responder::stream(Response head, Executor& executor, Stream::Source source) {
  auto exchange = std::move(exchange_);
  return exchange ? exchange->stream(std::move(head), executor, std::move(source)) : nullptr;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      int high = hex_digit(text[i + 1]);
      int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else if (plus_is_space && text[i] == '+') {
      out.push_back(' ');
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                 c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::vector<Header> parse_query(std::string_view query) {
  std::vector<Header> pairs;
  while (!query.empty()) {
    std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (part.empty()) continue;
    std::size_t equals = part.find('=');
    std::string_view name = part.substr(0, equals);
    std::string_view value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    pairs.push_back({percent_decode(name, true).value_or(std::string(name)),
                     percent_decode(value, true).value_or(std::string(value))});
  }
  return pairs;
}

}  // namespace holdfast::net
