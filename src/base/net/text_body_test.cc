// Goal: a reader of text gets text, or is told what it was. Method: a table of types, bodies and texts.

#include "net/text_body.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

std::string read(const std::string& type, std::string body) {
  HttpResponse response;
  response.head.headers = {{"content-type", type}};
  response.body = std::move(body);
  return text_body(response);
}

TEST(TextBody, CharsetsBecomeUtf8) {
  EXPECT_EQ(read("text/plain; charset=iso-8859-1", "M\xfcller"), "M\u00fcller");
  EXPECT_EQ(read("text/html;charset=\"windows-1252\"", "5 \x80"), "5 \u20ac");
  EXPECT_EQ(read("text/plain; format=flowed; Charset=Shift_JIS", "\x93\xfa\x96\x7b"), "\u65e5\u672c");
  EXPECT_EQ(read("text/plain", std::string("\xff\xfe\xe9\0", 4)), "\u00e9");
  EXPECT_EQ(read("text/csv", "\xef\xbb\xbfid,name"), "id,name");
  EXPECT_EQ(read("application/json", "{\"a\":\"\u00e9\"}"), "{\"a\":\"\u00e9\"}");
  EXPECT_EQ(read("text/plain; charset=iso-8859-1", std::string(9000, '\xfc')).size(), 18000u);
}

TEST(TextBody, BinaryIsTold) {
  EXPECT_EQ(read("image/png", "\x89PNG"), "(binary response: image/png, 4 bytes)");
  EXPECT_EQ(read("", std::string("a\0b", 3)), "(binary response: no content type, 3 bytes)");
  EXPECT_EQ(read("application/vnd.ms-excel", "\xd0\xcf\x11"),
            "(binary response: application/vnd.ms-excel, 3 bytes)");
  EXPECT_EQ(read("image/svg+xml", "<svg/>"), "<svg/>");
  EXPECT_EQ(read("image/png", ""), "");
}

TEST(TextBody, WhatCannotBeReadIsTold) {
  EXPECT_EQ(read("text/plain", "M\xfcller"),
            "(not readable as utf-8: what could not be read is marked)\nM\ufffdller");
  EXPECT_EQ(read("text/plain; charset=klingon", "abc"),
            "(not readable as klingon: what could not be read is marked)\nabc");
  EXPECT_EQ(read("text/plain; charset=utf-16//IGNORE", "abc").substr(0, 14), "(not readable ");
}

// What is told in words would be taken for the text itself.
TEST(DataBody, WhatIsNoTextIsAnError) {
  const auto data = [](const std::string& type, std::string body) {
    HttpResponse response;
    response.head.headers = {{"content-type", type}};
    response.body = std::move(body);
    auto read = data_body(response);
    return read ? *read : "error: " + read.error();
  };
  EXPECT_EQ(data("image/png", "\x89PNG"),
            "error: the response is no text (binary response: image/png, 4 bytes)");
  EXPECT_EQ(data("text/plain", "M\xfcller"), "error: the response is no text (not readable as utf-8)");
  EXPECT_EQ(data("application/json", "{\"a\":\"\xfc\"}"),
            "error: the response is no text (binary response: application/json, 9 bytes)");
  for (const char* broken : {R"({"a":1)", "NaN", "1e400", R"("\ud800")", "<html>"}) {
    EXPECT_TRUE(data("application/json; charset=utf-8", broken).starts_with("error: the response says that"))
        << broken;
    EXPECT_EQ(data("text/plain", broken), broken);
  }
  EXPECT_EQ(data("application/problem+json", R"({"a":123456789012345678901})"),
            R"({"a":123456789012345678901})");
  EXPECT_EQ(data("application/json", ""), "");
  EXPECT_EQ(data("text/plain; charset=iso-8859-1", "M\xfcller"), "M\u00fcller");
}

}  // namespace
}  // namespace holdfast::net
