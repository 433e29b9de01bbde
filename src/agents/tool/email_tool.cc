// `type: email`: a mail by SMTP. Whatever arguments say, it stays within the header or the body it is for.
// The Message-ID comes from the call's idempotency key; as no server promises to know it again, a mail is
// sent once at most.

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "definition/names.h"
#include "definition/value_name.h"
#include "net/mail.h"
#include "tool/activity_tool.h"
#include "tool/message_text.h"

namespace holdfast::agent {

namespace {

using net::MailSecurity;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["server", "from", "to"],
  "properties": {
    "server": {"type": "string", "description": "HOST or HOST:PORT; port 587, with `tls: always` 465."},
    "tls": {"enum": ["starttls", "always", "none"], "description": "starttls by default: encrypted, or not sent."},
    "username": {"type": "string"},
    "password_env": {"type": "string", "description": "Name of the variable that holds the password."},
    "from": {"type": "string", "description": "ops@example.com, or Name <ops@example.com>"},
    "reply_to": {"type": "string"},
    "to": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "string"}},
    "cc": {"type": "array", "maxItems": 50, "items": {"type": "string"}},
    "subject": {"type": "string", "description": "{subject} by default."},
    "text": {"type": "string", "description": "{text} by default."}
  }
})json";

constexpr std::size_t kMaxRecipients = 50;
constexpr std::size_t kMaxAddressBytes = 254;  // RFC 5321, section 4.5.3.1.3
constexpr std::size_t kMaxSubjectBytes = 500;
constexpr std::size_t kMaxTextBytes = 1 << 20;

struct EmailSettings : ToolSettings {
  std::string host;
  std::uint16_t port = 0;
  MailSecurity security = MailSecurity::kStartTls;
  std::string username;
  std::string password_env;
  std::string from;  // as written
  std::string reply_to;
  std::vector<std::string> to;  // templates
  std::vector<std::string> cc;
  std::string subject = "{subject}";
  std::string text = "{text}";
};

Json parameters() {
  return {{"type", "object"},
          {"properties", {{"subject", {{"type", "string"}}}, {"text", {{"type", "string"}}}}},
          {"required", Json::array({"subject", "text"})}};
}

// ---- addresses

// An address without name and quotes, as mail servers everywhere take it: nothing in it can end the header,
// the command or the address.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (text.size() > kMaxAddressBytes || at == 0 || at == std::string_view::npos || at + 1 == text.size())
    return false;
  constexpr std::string_view kLocal = "!#$%&'*+-/=?^_`{|}~.";
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  return std::all_of(local.begin(), local.end(), [&](char c) { return letter(c) || kLocal.contains(c); }) &&
         !local.starts_with('-') &&
         std::all_of(domain.begin(), domain.end(), [&](char c) { return letter(c) || c == '-' || c == '.'; });
}

struct Mailbox {
  std::string name;
  std::string address;
};

// "Name <a@b>" or "a@b".
std::optional<Mailbox> read_mailbox(std::string_view text) {
  Mailbox out;
  const std::size_t open = text.find('<');
  if (open == std::string_view::npos) {
    out.address = text;
  } else {
    if (!text.ends_with('>')) return std::nullopt;
    out.address = text.substr(open + 1, text.size() - open - 2);
    out.name = text.substr(0, open);
    while (out.name.ends_with(' ')) out.name.pop_back();
  }
  if (!is_address(out.address) || has_control(out.name) || out.name.contains('"')) return std::nullopt;
  return out;
}

// ---- the definition

void read_server(spec::MapReader& in, EmailSettings& out) {
  const std::string server = in.required_text("server");
  if (const auto tls = in.choice("tls", {"starttls", "always", "none"}))
    out.security = static_cast<MailSecurity>(*tls);
  out.port = out.security == MailSecurity::kTls ? 465 : 587;
  out.host = server;
  const std::size_t colon = server.rfind(':');
  if (colon != std::string::npos && !server.ends_with(']')) {
    out.host = server.substr(0, colon);
    const std::string port = server.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    const int number = digits ? std::stoi(port) : 0;
    if (number < 1 || number > 65535) in.problem("server", "must be HOST or HOST:PORT");
    out.port = static_cast<std::uint16_t>(number);
  }
  if (!server.empty() && !net::read_host(out.host)) in.problem("server", "must be HOST or HOST:PORT");
}

std::vector<std::string> read_recipients(spec::MapReader& in, const char* key, const ToolSpec& tool) {
  std::vector<std::string> out;
  for (const YAML::Node& node : in.list(key, kMaxRecipients)) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    check_text(in, key, text, tool);
    if (text.find('{') == std::string::npos && !read_mailbox(text))
      in.problem(key, fmt::format("`{}` is no address such as ops@example.com", text));
    out.push_back(text);
  }
  return out;
}

void read(ToolReader& reader) {
  auto out = std::make_shared<EmailSettings>();
  spec::MapReader in = reader.in.map("email");
  read_server(in, *out);
  out->username = in.text("username");
  out->password_env = in.text("password_env");
  if (!out->password_env.empty() && !is_value_name(out->password_env)) {
    in.problem("password_env", "must be the name of an environment variable, not the password");
    out->password_env.clear();
  }
  if (out->username.empty() != out->password_env.empty())
    in.problem("username", "goes together with `password_env`: give both or none");
  out->from = in.required_text("from");
  if (!out->from.empty() && !read_mailbox(out->from))
    in.problem("from", "is no address such as ops@example.com");
  out->reply_to = in.text("reply_to");
  if (!out->reply_to.empty() && !read_mailbox(out->reply_to))
    in.problem("reply_to", "is no address such as ops@example.com");
  out->to = read_recipients(in, "to", reader.tool);
  out->cc = read_recipients(in, "cc", reader.tool);
  if (out->to.empty()) in.missing("to", "a list of addresses");
  out->subject = in.text("subject", out->subject);
  check_text(in, "subject", out->subject, reader.tool);
  out->text = in.text("text", out->text);
  check_text(in, "text", out->text, reader.tool);
  in.finish();
  if (reader.effect_given && reader.tool.effect != Effect::kAtMostOnce)
    reader.in.problem("effect",
                      "a mail is at_most_once: no server promises to know it again; remove `effect`");
  reader.tool.effect = Effect::kAtMostOnce;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  constexpr const char* kTls[] = {"starttls", "always", "none"};
  const auto& email = settings_of<EmailSettings>(tool);
  Json out = {{"server", fmt::format("{}:{}", email.host, email.port)},
              {"tls", kTls[static_cast<std::size_t>(email.security)]},
              {"from", email.from},
              {"to", email.to},
              {"subject", email.subject},
              {"text", email.text}};
  if (!email.username.empty()) out["username"] = email.username;
  if (!email.password_env.empty()) out["password_env"] = email.password_env;
  if (!email.reply_to.empty()) out["reply_to"] = email.reply_to;
  if (!email.cc.empty()) out["cc"] = email.cc;
  return out;
}

// As grants name it: https stands for a connection that is encrypted.
std::string url_of(const EmailSettings& email) {
  return fmt::format("{}://{}:{}", email.security == MailSecurity::kNone ? "http" : "https", email.host,
                     email.port);
}

Needs needs(const ToolSpec& tool) {
  const auto& email = settings_of<EmailSettings>(tool);
  Needs out = {{.kind = Need::Kind::kHost, .name = {}, .url = url_of(email)}};
  if (!email.password_env.empty())
    out.push_back({.kind = Need::Kind::kVariable, .name = email.password_env, .url = url_of(email)});
  return out;
}

// ---- a call

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

// RFC 2047: what is not ASCII or long goes in words of its own, none of which ends inside a character.
std::string header_text(std::string_view text) {
  constexpr std::size_t kPlain = 60;
  constexpr std::size_t kWord = 42;  // 56 characters of base64
  if (is_ascii(text) && text.size() <= kPlain && !text.contains("=?")) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::string_view word = cut_text(text, kWord);
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", padded_base64(word));
    text.remove_prefix(word.size());
  }
  return out;
}

std::string mailbox_text(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  const std::string name = is_ascii(mailbox.name) && mailbox.name.size() <= 60 ? '"' + mailbox.name + '"'
                                                                               : header_text(mailbox.name);
  return fmt::format("{} <{}>", name, mailbox.address);
}

// RFC 5322, section 3.3, in UTC.
std::string date_text(WallTime time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string body_text(const std::string& text) {
  constexpr std::size_t kLine = 57;  // 76 characters of base64
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += kLine)
    out += padded_base64(std::string_view(text).substr(at, kLine)) + "\r\n";
  return out;
}

// The recipients, filled; what is wrong with one in words a model can act on.
std::optional<std::string> fill_recipients(const std::vector<std::string>& templates, const Json& arguments,
                                           std::vector<Mailbox>& out) {
  for (const std::string& one : templates) {
    const std::string text = fill_text(one, arguments);
    auto mailbox = read_mailbox(text);
    if (!mailbox) return fmt::format("`{}` is no address such as ops@example.com", bounded_text(text, 100));
    out.push_back(*std::move(mailbox));
  }
  return std::nullopt;
}

std::string list_of(const std::vector<Mailbox>& mailboxes) {
  std::string out;
  for (const Mailbox& one : mailboxes) out += (out.empty() ? "" : ",\r\n ") + mailbox_text(one);
  return out;
}

// Headers and body. The wrong is told instead.
Result<std::string> message_of(const EmailSettings& email, const Json& arguments, const ToolContext& context,
                               net::Mail& mail) {
  std::vector<Mailbox> to;
  std::vector<Mailbox> cc;
  if (auto bad = fill_recipients(email.to, arguments, to)) return fail(Code::kInvalidArgument, *bad);
  if (auto bad = fill_recipients(email.cc, arguments, cc)) return fail(Code::kInvalidArgument, *bad);
  const std::string subject = fill_text(email.subject, arguments);
  if (has_control(subject) || subject.size() > kMaxSubjectBytes)
    return fail(Code::kInvalidArgument,
                fmt::format("the subject is one line of {} bytes at most", kMaxSubjectBytes));
  const std::string text = fill_text(email.text, arguments);
  if (text.size() > kMaxTextBytes) return fail(Code::kInvalidArgument, "the text is larger than 1 MiB");
  const Mailbox from = read_mailbox(email.from).value();
  mail.from = from.address;
  for (const std::vector<Mailbox>* list : {&to, &cc}) {
    for (const Mailbox& one : *list) mail.to.push_back(one.address);
  }
  std::string out = fmt::format("Date: {}\r\nFrom: {}\r\nTo: {}\r\n", date_text(context.clock->now()),
                                mailbox_text(from), list_of(to));
  if (!cc.empty()) out += fmt::format("Cc: {}\r\n", list_of(cc));
  if (!email.reply_to.empty())
    out += fmt::format("Reply-To: {}\r\n", mailbox_text(*read_mailbox(email.reply_to)));
  const std::string domain = from.address.substr(from.address.find('@') + 1);
  if (!context.follows.empty())
    out += fmt::format("In-Reply-To: <{0}@{1}>\r\nReferences: <{0}@{1}>\r\n", context.follows, domain);
  out += fmt::format(
      "Subject: {}\r\nMessage-ID: <{}@{}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
      header_text(subject), context.idempotency_key, domain, body_text(to_utf8(text)));
  return out;
}

ToolEnding run(const ToolSpec& tool, const Json& arguments, const ToolContext& context) {
  const auto& email = settings_of<EmailSettings>(tool);
  net::Mail mail;
  auto message = message_of(email, arguments, context, mail);
  if (!message) return {Ending::kFailed, std::string(message.error().message())};
  mail.message = *std::move(message);
  mail.host = email.host;
  mail.port = email.port;
  mail.security = email.security;
  mail.user = email.username;
  if (!email.password_env.empty()) {
    auto password = context.permits->variable(email.password_env, url_of(email));
    if (!password) return {Ending::kFailed, password.error().message()};
    mail.password = *std::move(password);
  }
  mail.timeout = tool.timeout;
  mail.reach = context.permits->reach();
  const net::MailOutcome outcome = net::send_mail(mail, context.stop, {kBeatInterval, context.beat});
  switch (outcome.end) {
    case net::MailEnd::kSent:
      return {Ending::kDone, dump_json(Json{{"sent", true}, {"recipients", mail.to.size()}})};
    case net::MailEnd::kNotSent: return {Ending::kFailed, "the mail was not sent: " + outcome.message};
    case net::MailEnd::kUnknown: break;
  }
  return {Ending::kUnknown, outcome.message};
}

}  // namespace

constinit const ActivityTool kEmailTool({.name = "email",
                                         .schema = kSchema,
                                         .section_needs = "with `server`, `from` and `to`",
                                         .notifies = true,
                                         .parameters = parameters,
                                         .read = read,
                                         .canonical = canonical,
                                         .needs = needs},
                                        run);

}  // namespace holdfast::agent
