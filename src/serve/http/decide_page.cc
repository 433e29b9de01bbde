#include "http/decide_page.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "http/form_fields.h"

namespace holdfast::http {

namespace {

using Kind = FormField::Kind;

constexpr std::size_t kMaxShown = 64 * 1024;

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
    "body{margin:0 auto;max-width:40rem;padding:1rem;overflow-wrap:anywhere}"
    "h1{font-size:1.3rem;line-height:1.3}h2{font-size:1rem;margin:1.2rem 0 .3rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid "
    "#8888;border-radius:.5rem;padding:.7rem;"
    "margin:0;max-height:40vh;overflow:auto}"
    "p{margin:.5rem 0}.quiet{opacity:.75}.wrong{border-left:.3rem solid #c00;padding:.3rem .7rem}"
    "label,legend{font-weight:600}fieldset{border:0;padding:0;margin:.8rem 0}.field{margin:.8rem 0}"
    "input[type=text],input[type=email],input[type=date],input[type=url],input[type=number],textarea,select{"
    "font:inherit;width:100%;box-sizing:border-box;min-height:2.75rem;padding:.5rem;border:1px solid #888;"
    "border-radius:.5rem}"
    ".pick{display:flex;gap:.6rem;align-items:center;min-height:2.75rem;font-weight:400}"
    "input[type=radio],input[type=checkbox]{width:1.4rem;height:1.4rem}"
    ".row{display:flex;flex-wrap:wrap;gap:.7rem;margin:1rem 0}"
    "button{font:inherit;font-weight:600;flex:1 1 8rem;min-height:3rem;border:1px solid "
    "#888;border-radius:.5rem}"
    "button.yes{background:#14652b;color:#fff;border-color:#14652b}";

Response html_response(int status, std::string_view title, std::string_view body) {
  static const std::string policy = fmt::format(
      "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors "
      "'none'",
      padded_base64(sha256(kStyle)));
  Response out;
  out.status = status;
  out.content_type = "text/html; charset=utf-8";
  out.headers = {{"Content-Security-Policy", policy},
                 // The address is a secret; but a form that is sent to ourselves has to say from where it is.
                 {"Referrer-Policy", "same-origin"},
                 {"X-Robots-Tag", "noindex, nofollow"}};
  out.body = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>{}</title><style>{}</style></head><body><main>{}"
      "</main></body></html>",
      html_escaped(title), kStyle, body);
  return out;
}

// As people write times; the page has no script that would know theirs.
std::string time_text(WallTime time) {
  std::string iso = iso_time(time);  // 2026-12-01T09:00:00.000Z
  return iso.substr(0, 10) + " " + iso.substr(11, 5) + " UTC";
}

std::string typed_in(const FormField& field, const std::vector<Header>* posted) {
  if (posted == nullptr) return field.initial;
  for (const Header& one : *posted) {
    if (one.name == posted_name(field)) return one.value;
  }
  return {};
}

bool was_chosen(const FormField& field, const std::vector<Header>* posted, std::string_view value) {
  if (posted == nullptr) return field.initial == value;
  for (const Header& one : *posted) {
    if (one.name == posted_name(field) && one.value == value) return true;
  }
  return false;
}

std::string pick(const FormField& field, const char* type, std::string_view value, std::string_view label,
                 const std::vector<Header>* posted) {
  return fmt::format(
      R"(<label class="pick"><input type="{}" name="{}" value="{}"{}{}>{}</label>)", type,
      html_escaped(posted_name(field)), value, was_chosen(field, posted, value) ? " checked" : "",
      field.required && std::string_view(type) == "radio" ? " required" : "", html_escaped(label));
}

std::string choice_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

std::string group(const FormField& field, std::string_view inside) {
  const std::string hint =
      field.hint.empty() ? "" : fmt::format("<p class=\"quiet\">{}</p>", html_escaped(field.hint));
  return fmt::format("<fieldset><legend>{}{}</legend>{}{}</fieldset>", html_escaped(field.label),
                     field.required ? " *" : "", hint, inside);
}

std::string control(const FormField& field, const std::string& id, const std::vector<Header>* posted) {
  const std::string name = html_escaped(posted_name(field));
  const std::string typed = html_escaped(typed_in(field, posted));
  const std::string_view required = field.required ? " required" : "";
  const std::string longest = field.max_length > 0 ? fmt::format(" maxlength=\"{}\"", field.max_length) : "";
  switch (field.kind) {
    case Kind::kText:
      return fmt::format(R"(<input type="{}" id="{}" name="{}" value="{}"{}{}>)", field.input_type, id, name,
                         typed, required, longest);
    case Kind::kNumber:
      return fmt::format(R"(<input type="number" step="any" id="{}" name="{}" value="{}"{}>)", id, name,
                         typed, required);
    case Kind::kFile:
      return fmt::format(R"(<input type="file" id="{}" name="{}" accept="{}"{}>)", id, name,
                         html_escaped(field.accept), required);
    case Kind::kOne: {
      std::string options = "<option value=\"\"></option>";
      for (std::size_t i = 0; i < field.choices.size(); ++i) {
        const std::string value = std::to_string(i);
        options += fmt::format("<option value=\"{}\"{}>{}</option>", value,
                               was_chosen(field, posted, value) ? " selected" : "",
                               html_escaped(choice_text(field.choices[i])));
      }
      return fmt::format(R"(<select id="{}" name="{}"{}>{}</select>)", id, name, required, options);
    }
    default:
      return fmt::format("<textarea rows=\"{}\" id=\"{}\" name=\"{}\"{}{}>\n{}</textarea>",
                         field.kind == Kind::kJson ? 6 : 3, id, name, required, longest, typed);
  }
}

std::string field_html(const FormField& field, std::size_t n, const std::vector<Header>* posted) {
  if (field.kind == Kind::kYesNo) {
    return group(field,
                 pick(field, "radio", "true", "Yes", posted) + pick(field, "radio", "false", "No", posted));
  }
  if (field.kind == Kind::kSome) {
    std::string picks;
    for (std::size_t i = 0; i < field.choices.size(); ++i)
      picks += pick(field, "checkbox", std::to_string(i), choice_text(field.choices[i]), posted);
    return group(field, picks);
  }
  const std::string id = fmt::format("f{}", n);
  const std::string hint =
      field.hint.empty() ? "" : fmt::format("<p class=\"quiet\">{}</p>", html_escaped(field.hint));
  return fmt::format("<div class=\"field\"><label for=\"{}\">{}{}</label>{}{}</div>", id,
                     html_escaped(field.label), field.required ? " *" : "", hint, control(field, id, posted));
}

std::string section(std::string_view title, std::string_view text) {
  if (text.empty()) return {};
  return fmt::format("<h2>{}</h2><pre>{}</pre>", title,
                     html_escaped(bounded_text(std::string(text), kMaxShown)));
}

std::string comment_html(std::string_view label, const std::vector<Header>* posted) {
  FormField field;
  field.kind = Kind::kLines;
  std::string typed;
  if (posted != nullptr) {
    for (const Header& one : *posted) {
      if (one.name == "comment") typed = one.value;
    }
  }
  return fmt::format(
      "<div class=\"field\"><label for=\"comment\">{}</label><textarea rows=\"2\" id=\"comment\" "
      "name=\"comment\" maxlength=\"4000\">\n{}</textarea></div>",
      label, html_escaped(typed));
}

std::string form_html(const DecidePage& page) {
  std::string inside = fmt::format("<input type=\"hidden\" name=\"token\" value=\"{}\">", page.form_token);
  bool has_files = false;
  if (page.question) {
    std::size_t n = 0;
    for (const FormField& field : fields_of(page.question->form)) {
      inside += field_html(field, ++n, page.posted);
      has_files = has_files || field.kind == Kind::kFile;
    }
    inside += comment_html("Comment, or why you decline", page.posted);
    inside +=
        "<div class=\"row\"><button class=\"yes\" name=\"decision\" value=\"answer\">Send answer</button>"
        "<button name=\"decision\" value=\"reject\" formnovalidate>Decline</button></div>";
  } else {
    inside += comment_html("Reason", page.posted);
    inside +=
        "<div class=\"row\"><button class=\"yes\" name=\"decision\" value=\"approve\">Approve</button>"
        "<button name=\"decision\" value=\"reject\">Reject</button></div>";
  }
  return fmt::format("<form method=\"post\"{}>{}</form>",
                     has_files ? " enctype=\"multipart/form-data\"" : "", inside);
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string outcome_of(const platform::Approval& approval) {
  std::string out(to_string(approval.status));
  if (!approval.decided_by.empty()) out += " by " + approval.decided_by;
  if (approval.decided_at) out += " at " + time_text(*approval.decided_at);
  return out;
}

Response decide_page(const DecidePage& page, int status) {
  const platform::Approval& approval = page.approval;
  const std::string title = page.question ? page.question->text : fmt::format("Allow {}?", approval.tool);
  std::string body = fmt::format("<h1>{}</h1>", html_escaped(title));
  if (!page.wrong.empty())
    body += fmt::format("<p class=\"wrong\" role=\"alert\">{}</p>", html_escaped(page.wrong));
  body += fmt::format("<p class=\"quiet\">{} (run {}) asks {}.", html_escaped(approval.agent),
                      html_escaped(approval.run), html_escaped(page.recipient));
  if (approval.expires_at) body += fmt::format(" Until {}.", time_text(*approval.expires_at));
  body += "</p>";
  const nlohmann::json arguments = parse_json(approval.arguments);
  const std::string shown =
      arguments.is_discarded() || arguments.is_null() ? approval.arguments : dump_json(arguments, 2);
  // A question that is the whole of its arguments says nothing twice.
  if (!page.question || arguments != nlohmann::json({{"question", page.question->text}}))
    body += section("Arguments", shown);
  if (!page.question) body += section("Why you are asked", approval.reason);
  body += section("What the agent said", page.reasoning);
  body += form_html(page);
  return html_response(status, title, body);
}

Response word_page(int status, std::string_view title, std::string_view text) {
  return html_response(status, title,
                       fmt::format("<h1>{}</h1><p>{}</p>", html_escaped(title), html_escaped(text)));
}

}  // namespace holdfast::http
