#include "http/mail_reply.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/ascii.h"
#include "base/base64.h"
#include "runs/decision_links.h"

namespace holdfast::http {

namespace {

constexpr int kMaxDepth = 4;  // of parts in parts
constexpr std::size_t kMaxParts = 50;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

struct Part {
  std::map<std::string, std::string> headers;  // names in lower case, folded lines joined
  std::string_view body;
};

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

Part split(std::string_view text) {
  Part out;
  std::string* last = nullptr;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    if ((line.front() == ' ' || line.front() == '\t') && last != nullptr) {
      *last += ' ';
      *last += trimmed(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    last = &out.headers[ascii_lower(trimmed(line.substr(0, colon)))];
    *last = std::string(trimmed(line.substr(colon + 1)));
  }
  out.body = text;
  return out;
}

std::string header_of(const Part& part, const char* name) {
  const auto found = part.headers.find(name);
  return found != part.headers.end() ? found->second : "";
}

// boundary="..." of a Content-Type.
std::string parameter_of(const std::string& header, std::string_view name) {
  const std::size_t at = ascii_lower(header).find(std::string(name) + "=");
  if (at == std::string::npos) return {};
  std::string_view value = std::string_view(header).substr(at + name.size() + 1);
  if (value.starts_with('"')) return std::string(value.substr(1, value.find('"', 1) - 1));
  return std::string(trimmed(value.substr(0, value.find_first_of("; \t"))));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 2045, section 6.7.
std::string from_quoted_printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\n') {
      ++i;
    } else if (i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += '=';
    }
  }
  std::erase(out, '\r');
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c == '\n' || c == ' ' || c == '=') continue;
    plain += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  auto bytes = from_base64url(plain);
  if (bytes) std::erase(*bytes, '\r');
  return bytes;
}

std::optional<std::string> text_of(const Part& part, int depth, std::size_t& parts);

// The first text among the parts.
std::optional<std::string> text_among(const Part& part, const std::string& boundary, int depth,
                                      std::size_t& parts) {
  const std::string line = "--" + boundary;
  std::size_t at = part.body.starts_with(line) ? 0 : part.body.find("\n" + line);
  while (at != std::string_view::npos && ++parts < kMaxParts) {
    const std::size_t begin = part.body.find('\n', part.body.find(line, at));
    if (begin == std::string_view::npos) break;
    const std::size_t end = part.body.find("\n" + line, begin);
    auto text =
        text_of(split(part.body.substr(begin + 1, end == std::string_view::npos ? end : end - begin - 1)),
                depth + 1, parts);
    if (text) return text;
    at = end;
  }
  return std::nullopt;
}

std::optional<std::string> text_of(const Part& part, int depth, std::size_t& parts) {
  const std::string type = header_of(part, "content-type");
  const std::string plain = ascii_lower(trimmed(type.substr(0, type.find(';'))));
  if (plain.starts_with("multipart/") && depth < kMaxDepth) {
    const std::string boundary = parameter_of(type, "boundary");
    return boundary.empty() ? std::nullopt : text_among(part, boundary, depth, parts);
  }
  if (!plain.empty() && plain != "text/plain") return std::nullopt;
  const std::string coding = ascii_lower(header_of(part, "content-transfer-encoding"));
  if (coding == "base64") return from_base64(part.body);
  if (coding == "quoted-printable") return from_quoted_printable(part.body);
  return std::string(part.body);
}

bool ends_own_words(std::string_view line) {
  return line.starts_with('>') || line == "--" || line == "-- " ||
         line.starts_with("-----Original Message") || (line.starts_with("On ") && line.ends_with("wrote:"));
}

}  // namespace

std::string address_of(std::string_view mailbox) {
  const std::size_t open = mailbox.rfind('<');
  if (open != std::string_view::npos) mailbox = mailbox.substr(open + 1, mailbox.find('>', open) - open - 1);
  const std::string out = ascii_lower(trimmed(mailbox));
  const bool is_one =
      out.find('@') != std::string::npos && out.find_first_of(" \t,;<>\"") == std::string::npos;
  return is_one ? out : "";
}

Result<Mail> read_mail(std::string_view message) {
  if (message.size() > kMaxMailBytes) return fail(Code::kInvalidArgument, "the mail has more than 1 MiB");
  std::string lines;
  lines.reserve(message.size());
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '\r' && i + 1 < message.size() && message[i + 1] == '\n') continue;
    lines += message[i];
  }
  const Part whole = split(lines);
  Mail out;
  out.from = address_of(header_of(whole, "from"));
  if (out.from.empty()) return fail(Code::kInvalidArgument, "the mail has no sender (From)");
  const std::string automatic = ascii_lower(header_of(whole, "auto-submitted"));
  out.automatic = !automatic.empty() && automatic != "no";
  std::size_t parts = 0;
  auto text = text_of(whole, 0, parts);
  if (!text) return fail(Code::kInvalidArgument, "the mail has no part of plain text that can be read");
  out.text = *std::move(text);
  return out;
}

MailWords words_of(std::string_view text) {
  MailWords out;
  bool begun = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (ends_own_words(line)) {
      if (begun) break;
      if (!line.starts_with('>')) continue;  // an answer below what it quotes
    }
    if (!begun && (trimmed(line).empty() || line.starts_with('>'))) continue;
    if (!begun) {
      begun = true;
      line = trimmed(line);
      const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
      out.word = ascii_lower(line.substr(0, end));
      while (!out.word.empty() && std::string_view(".,:;!").contains(out.word.back())) out.word.pop_back();
      line.remove_prefix(end);
    }
    out.rest += line;
    out.rest += '\n';
  }
  out.rest = std::string(trimmed(out.rest));
  return out;
}

std::string link_token_in(std::string_view text) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  const std::size_t at = text.find(runs::kLinkPath);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + runs::kLinkPath.size());
  std::string out(text.substr(0, std::min(text.find_first_not_of(kLetters), text.size())));
  while (out.ends_with('.')) out.pop_back();
  return out;
}

}  // namespace holdfast::http
