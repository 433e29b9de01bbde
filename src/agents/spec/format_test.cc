// What a text of a format is, and what is none; and that a schema asks for it only where it is told to.

#include "spec/format.h"

#include <gtest/gtest.h>

#include "spec/json_schema.h"

namespace holdfast::spec {
namespace {

TEST(Format, SaysWhatATextIs) {
  const struct {
    const char* format;
    const char* text;
    bool fits;
  } kCases[] = {
      {"date", "2026-02-28", true},
      {"date", "2024-02-29", true},
      {"date", "2026-02-30", false},
      {"date", "2026-2-03", false},
      {"date", "2026-02-28T00:00:00Z", false},
      {"date", "", false},
      {"time", "09:30:00Z", true},
      {"time", "09:30:00.25+02:00", true},
      {"time", "09:30", false},
      {"time", "24:00:00Z", false},
      {"date-time", "2026-02-28T09:30:00Z", true},
      {"date-time", "2026-02-28t09:30:00.1-05:30", true},
      {"date-time", "2026-02-28 09:30:00Z", false},
      {"date-time", "2026-02-28T09:30:00", false},
      {"date-time", "2026-13-28T09:30:00Z", false},
      {"email", "ann+shop@example.com", true},
      {"email", "j\u00fcrgen@b\u00fccher.example", true},
      {"email", "ann", false},
      {"email", "ann@", false},
      {"email", "a nn@example.com", false},
      {"email", "ann@example..com", false},
      {"uri", "https://example.com/a?b=c#d", true},
      {"uri", "mailto:ann@example.com", true},
      {"uri", "example.com", false},
      {"uri", "https://example.com/a b", false},
      {"uri", "https://example.com/%zz", false},
      {"uri", ":", false},
      {"phone", "whatever", true},
  };
  for (const auto& one : kCases)
    EXPECT_EQ(is_of_format(one.format, one.text), one.fits) << one.format << " " << one.text;
}

TEST(Format, IsAskedForWhereItIsAFormThatSomebodyFillsIn) {
  const auto form = nlohmann::json::parse(R"({"properties": {"when": {"type": "string", "format": "date"},
      "all": {"items": {"$ref": "#/$defs/mail"}}}, "$defs": {"mail": {"format": "email"}}})");
  EXPECT_EQ(validate(form, {{"when", "2026-02-30"}}), std::nullopt) << "an annotation";
  EXPECT_EQ(validate(form, {{"when", "2026-02-30"}}, Formats::kChecked),
            "`when` must be a text of the format date");
  EXPECT_EQ(validate(form, {{"all", {"a@b", "x"}}}, Formats::kChecked),
            "`all[1]` must be a text of the format email");
  EXPECT_EQ(validate(form, {{"when", "2026-03-01"}, {"all", {"a@b"}}}, Formats::kChecked), std::nullopt);
}

}  // namespace
}  // namespace holdfast::spec
