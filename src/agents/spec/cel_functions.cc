#include "spec/cel_functions.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.h"
#include "spec/cel_arithmetic.h"
#include "spec/cel_node.h"
#include "spec/cel_time.h"

namespace holdfast::spec::cel {

namespace {

using Arguments = std::vector<Value>;

std::unexpected<Error> invalid(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalid, std::move(message), 0});
}
std::unexpected<Error> overflow(std::string_view type) {
  return std::unexpected(Error{ErrorKind::kOverflow, fmt::format("the {} overflows", type), 0});
}
std::unexpected<Error> no_overload(std::string_view name, const Arguments& arguments) {
  std::string types;
  for (const Value& one : arguments) types += fmt::format("{}{}", types.empty() ? "" : ", ", one.type());
  return std::unexpected(
      Error{ErrorKind::kNoOverload, fmt::format("{}() does not take ({})", name, types), 0});
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Evaluated size(const Arguments& in) {
  if (const std::string* one = in[0].text()) return Value(static_cast<std::int64_t>(characters(*one)));
  if (const std::string* one = in[0].bytes()) return Value(static_cast<std::int64_t>(one->size()));
  if (const auto* one = in[0].as<List>()) return Value(static_cast<std::int64_t>((*one)->size()));
  if (const auto* one = in[0].as<Map>()) return Value(static_cast<std::int64_t>((*one)->size()));
  return no_overload("size", in);
}

template <typename Integer>
std::optional<Integer> whole(std::string_view text) {
  Integer out = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Evaluated to_int(const Arguments& in) {
  const Value& value = in[0];
  if (value.as<std::int64_t>()) return value;
  if (const auto* one = value.as<std::uint64_t>()) {
    if (!std::in_range<std::int64_t>(*one)) return overflow("int");
    return Value(static_cast<std::int64_t>(*one));
  }
  if (const auto* one = value.as<double>()) {
    // Open at both ends, as CEL's implementations are.
    if (!(*one > -0x1p63 && *one < 0x1p63)) return overflow("int");
    return Value(static_cast<std::int64_t>(*one));
  }
  if (const std::string* text = value.text()) {
    if (const auto number = whole<std::int64_t>(*text)) return Value(*number);
    return invalid("the text is no int");
  }
  if (const auto* one = value.as<Timestamp>()) {
    const Nanos second = 1'000'000'000;
    return Value(static_cast<std::int64_t>(one->nanos / second - (one->nanos % second < 0 ? 1 : 0)));
  }
  return no_overload("int", in);
}

Evaluated to_uint(const Arguments& in) {
  const Value& value = in[0];
  if (value.as<std::uint64_t>()) return value;
  if (const auto* one = value.as<std::int64_t>()) {
    if (*one < 0) return overflow("uint");
    return Value(static_cast<std::uint64_t>(*one));
  }
  if (const auto* one = value.as<double>()) {
    if (!(*one >= 0 && *one < 0x1p64)) return overflow("uint");
    return Value(static_cast<std::uint64_t>(*one));
  }
  if (const std::string* text = value.text()) {
    if (const auto number = whole<std::uint64_t>(*text)) return Value(*number);
    return invalid("the text is no uint");
  }
  return no_overload("uint", in);
}

Evaluated to_double(const Arguments& in) {
  const Value& value = in[0];
  if (value.as<double>()) return value;
  if (const auto* one = value.as<std::int64_t>()) return Value(static_cast<double>(*one));
  if (const auto* one = value.as<std::uint64_t>()) return Value(static_cast<double>(*one));
  const std::string* text = value.text();
  if (!text) return no_overload("double", in);
  std::string_view rest = *text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  double out = 0;
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
  if (failed == std::errc::result_out_of_range) return overflow("double");
  if (failed != std::errc() || end != rest.data() + rest.size()) return invalid("the text is no double");
  return Value(out);
}

std::string double_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

Evaluated to_text(const Arguments& in) {
  const Value& value = in[0];
  if (value.text()) return value;
  if (const auto* one = value.as<std::int64_t>()) return Value(fmt::format("{}", *one));
  if (const auto* one = value.as<std::uint64_t>()) return Value(fmt::format("{}", *one));
  if (const auto* one = value.as<double>()) {
    std::string text = double_text(*one);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return Value(std::move(text));
  }
  if (const auto* one = value.as<bool>()) return Value(*one ? "true" : "false");
  if (const std::string* bytes = value.bytes()) {
    if (!is_utf8(*bytes)) return invalid("the bytes are no UTF-8");
    return Value(*bytes);
  }
  if (const auto* one = value.as<Timestamp>()) return Value(format_timestamp(one->nanos));
  if (const auto* one = value.as<Duration>()) return Value(format_span(one->nanos));
  return no_overload("string", in);
}

Evaluated to_bytes(const Arguments& in) {
  if (in[0].bytes()) return in[0];
  if (const std::string* text = in[0].text()) return Value::bytes(*text);
  return no_overload("bytes", in);
}

Evaluated to_bool(const Arguments& in) {
  if (in[0].as<bool>()) return in[0];
  const std::string* text = in[0].text();
  if (!text) return no_overload("bool", in);
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (*text == yes) return Value(true);
  }
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (*text == no) return Value(false);
  }
  return invalid("the text is neither true nor false");
}

Evaluated to_duration(const Arguments& in) {
  if (in[0].as<Duration>()) return in[0];
  const std::string* text = in[0].text();
  if (!text) return no_overload("duration", in);
  const auto nanos = parse_span(*text);
  if (!nanos) return invalid("the text is no duration; write \"90s\", \"1h30m\" or \"7d\"");
  return Value(Duration{*nanos});
}

Evaluated to_timestamp(const Arguments& in) {
  if (in[0].as<Timestamp>()) return in[0];
  if (const auto* seconds = in[0].as<std::int64_t>()) {
    const Nanos nanos = Nanos{*seconds} * 1'000'000'000;
    if (!is_timestamp(nanos)) return overflow("timestamp");
    return Value(Timestamp{nanos});
  }
  const std::string* text = in[0].text();
  if (!text) return no_overload("timestamp", in);
  const auto nanos = parse_timestamp(*text);
  if (!nanos) return invalid("the text is no timestamp; write \"2026-05-17T12:00:00Z\"");
  return Value(Timestamp{*nanos});
}

Evaluated matches(const Arguments& in) {
  const std::string* text = in[0].text();
  const std::string* pattern = in[1].text();
  if (!text || !pattern) return no_overload("matches", in);
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(1 << 20);
  const re2::RE2 regex(*pattern, options);
  if (!regex.ok()) return invalid("the pattern is no regular expression of RE2: " + regex.error());
  return Value(re2::RE2::PartialMatch(*text, regex));
}

Evaluated sum_of(const Arguments& in) {
  const auto* items = in[0].as<List>();
  return items ? sum(**items) : Evaluated(no_overload("sum", in));
}

template <bool (*Test)(std::string_view, std::string_view)>
Evaluated text_test(const Arguments& in) {
  const std::string* text = in[0].text();
  const std::string* part = in[1].text();
  if (!text || !part) return no_overload("a test of texts", in);
  return Value(Test(*text, *part));
}
bool starts_with(std::string_view text, std::string_view part) {
  return text.starts_with(part);
}
bool ends_with(std::string_view text, std::string_view part) {
  return text.ends_with(part);
}
bool contains(std::string_view text, std::string_view part) {
  return text.contains(part);
}

Evaluated same(const Arguments& in) {
  return in[0];
}

struct Own {
  std::string_view name;
  std::size_t least, most;
  Evaluated (*run)(const Arguments&);
};

constexpr Own kFunctions[] = {{"size", 1, 1, size},
                              {"int", 1, 1, to_int},
                              {"uint", 1, 1, to_uint},
                              {"double", 1, 1, to_double},
                              {"string", 1, 1, to_text},
                              {"bytes", 1, 1, to_bytes},
                              {"bool", 1, 1, to_bool},
                              {"dyn", 1, 1, same},
                              {"duration", 1, 1, to_duration},
                              {"timestamp", 1, 1, to_timestamp},
                              {"matches", 2, 2, matches}};
constexpr Own kMethods[] = {{"size", 1, 1, size},
                            {"sum", 1, 1, sum_of},
                            {"matches", 2, 2, matches},
                            {"startsWith", 2, 2, text_test<starts_with>},
                            {"endsWith", 2, 2, text_test<ends_with>},
                            {"contains", 2, 2, text_test<contains>}};

// ---- the parts of a time

struct Part {
  std::string_view name;
  std::int64_t (*of_date)(const Date&);
  Nanos unit;  // of a duration: whole so many; 0: it has no such part
};

constexpr Nanos kMilli = 1'000'000;
constexpr Part kParts[] = {{"getFullYear", [](const Date& d) { return d.year; }, 0},
                           {"getMonth", [](const Date& d) { return d.month; }, 0},
                           {"getDate", [](const Date& d) { return d.day; }, 0},
                           {"getDayOfMonth", [](const Date& d) { return d.day - 1; }, 0},
                           {"getDayOfYear", [](const Date& d) { return d.day_of_year; }, 0},
                           {"getDayOfWeek", [](const Date& d) { return d.day_of_week; }, 0},
                           {"getHours", [](const Date& d) { return d.hours; }, 3'600'000 * kMilli},
                           {"getMinutes", [](const Date& d) { return d.minutes; }, 60'000 * kMilli},
                           {"getSeconds", [](const Date& d) { return d.seconds; }, 1'000 * kMilli},
                           {"getMilliseconds", [](const Date& d) { return d.milliseconds; }, kMilli}};

Evaluated part_of(const Part& part, const Arguments& in) {
  if (const auto* span = in[0].as<Duration>(); span && part.unit > 0 && in.size() == 1) {
    // Milliseconds are what is behind the whole seconds; the others are of the whole.
    const Nanos of = part.unit == kMilli ? span->nanos % (1'000 * kMilli) : span->nanos;
    return Value(static_cast<std::int64_t>(of / part.unit));
  }
  const auto* time = in[0].as<Timestamp>();
  if (!time || in.size() > 2) return no_overload(part.name, in);
  if (in.size() == 1) return Value(part.of_date(date_of(time->nanos)));
  const std::string* zone = in[1].text();
  if (!zone) return no_overload(part.name, in);
  const auto offset = zone_offset(*zone);
  if (!offset)
    return std::unexpected(Error{ErrorKind::kUnsupported, "zones are UTC or fixed: \"+01:00\"", 0});
  return Value(part.of_date(date_of(time->nanos + *offset)));
}

template <typename Table>
auto find(const Table& table, std::string_view name) {
  return std::ranges::find_if(table, [&](const auto& one) { return one.name == name; });
}

}  // namespace

bool is_function(std::string_view name) {
  return find(kFunctions, name) != std::end(kFunctions);
}

bool is_method(std::string_view name) {
  return find(kMethods, name) != std::end(kMethods) || find(kParts, name) != std::end(kParts);
}

Evaluated call_function(std::string_view name, const Arguments& arguments) {
  const auto* own = find(kFunctions, name);
  if (arguments.size() < own->least || arguments.size() > own->most) return no_overload(name, arguments);
  return own->run(arguments);
}

Evaluated call_method(std::string_view name, const Arguments& arguments) {
  if (const auto* part = find(kParts, name); part != std::end(kParts)) return part_of(*part, arguments);
  const auto* own = find(kMethods, name);
  if (arguments.size() < own->least || arguments.size() > own->most) return no_overload(name, arguments);
  return own->run(arguments);
}

}  // namespace holdfast::spec::cel
