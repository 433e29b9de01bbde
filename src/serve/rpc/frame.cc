#include "rpc/frame.h"

#include <google/rpc/status.pb.h>
#include <openssl/evp.h>

#include <charconv>

#include "base/text.h"

namespace holdfast::rpc {
namespace {

// Beyond these, status and message are cut: they travel in trailers, which peers limit.
constexpr std::size_t kMaxStatusMessageBytes = 4096;
constexpr std::size_t kMaxDetailsBytes = 32 << 10;
constexpr std::size_t kMaxTimeoutDigits = 8;

std::string cut(const std::string& text) {
  if (text.size() <= kMaxStatusMessageBytes) return text;
  return std::string(cut_text(text, kMaxStatusMessageBytes)) + "...";
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && byte != '%') {
      result.push_back(c);
    } else {
      result.push_back('%');
      result.push_back(kHex[byte >> 4]);
      result.push_back(kHex[byte & 15]);
    }
  }
  return result;
}

std::string base64(const std::string& bytes) {
  std::string result((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  result.resize(static_cast<std::size_t>(length));
  return result;
}

std::string details(const Status& status) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(cut(status.message()));
  for (const StatusDetail& detail : status.details()) {
    auto* any = proto.add_details();
    any->set_type_url(detail.type_url);
    any->set_value(detail.value);
  }
  return proto.SerializeAsString();
}

void write_prefix(std::string& into, std::size_t length) {
  into[0] = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) {
    into[i] = static_cast<char>(length >> (8 * (kPrefixBytes - 1 - i)) & 0xFF);
  }
}

}  // namespace

std::optional<Prefix> read_prefix(std::string_view five_bytes) {
  if (five_bytes[0] != 0 && five_bytes[0] != 1) return std::nullopt;
  Prefix prefix{.packed = five_bytes[0] == 1};
  for (const char c : five_bytes.substr(1, 4))
    prefix.length = prefix.length << 8 | static_cast<unsigned char>(c);
  return prefix;
}

// Messages over 2 GiB cannot be written, and no limit of ours lets one exist.
std::string framed(const google::protobuf::Message& message, std::size_t length) {
  std::string bytes(kPrefixBytes + length, '\0');
  write_prefix(bytes, length);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(bytes.data()) + kPrefixBytes);
  return bytes;
}

std::string framed(std::string_view message) {
  std::string bytes(kPrefixBytes, '\0');
  write_prefix(bytes, message.size());
  return bytes.append(message);
}

std::optional<std::chrono::nanoseconds> read_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kMaxTimeoutDigits + 1) return std::nullopt;
  std::int64_t number = 0;
  const char* const unit = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), unit, number);
  if (error != std::errc() || end != unit || number < 0) return std::nullopt;
  switch (*unit) {
    // 99999999 hours are more than a clock of nanoseconds has.
    case 'H': return std::chrono::hours(std::min<std::int64_t>(number, 1'000'000));
    case 'M': return std::chrono::minutes(std::min<std::int64_t>(number, 60'000'000));
    case 'S': return std::chrono::seconds(number);
    case 'm': return std::chrono::milliseconds(number);
    case 'u': return std::chrono::microseconds(number);
    case 'n': return std::chrono::nanoseconds(number);
    default: return std::nullopt;
  }
}

Headers status_headers(const Status& status) {
  Headers headers{{"grpc-status", std::to_string(static_cast<int>(status.code()))}};
  if (status.ok()) return headers;
  headers.emplace_back("grpc-message", percent_encoded(cut(status.message())));
  if (status.details().empty()) return headers;
  std::string bytes = details(status);
  if (bytes.size() <= kMaxDetailsBytes) headers.emplace_back("grpc-status-details-bin", base64(bytes));
  return headers;
}

}  // namespace holdfast::rpc
