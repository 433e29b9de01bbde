// Goal: a form with files is read as the browser that sent it meant it, and what is no form is refused.

#include "net/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kType = "multipart/form-data; boundary=\"x y\"";

TEST(Multipart, FieldsAndFilesAreRead) {
  const std::string body =
      "--x y\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n"
      "--x y\r\ncontent-disposition: form-data; name=\"f.%22a%22\"; filename=\"C:\\\\tmp\\\\r;1.png\"\r\n"
      "Content-Type: image/png\r\n\r\n\x89PNG\r\n--x\r\n\r\n"
      "--x y\r\nContent-Disposition: form-data; name=empty; filename=\"\"\r\n\r\n\r\n--x y--\r\nbehind";
  const auto parts = read_form_parts(kType, body);
  ASSERT_TRUE(parts.has_value()) << parts.error().to_string();
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[0].name, "token");
  EXPECT_EQ((*parts)[0].body, "abc");
  EXPECT_FALSE((*parts)[0].filename.has_value());
  EXPECT_EQ((*parts)[1].name, "f.\"a\"");
  EXPECT_EQ((*parts)[1].filename, "r;1.png");
  EXPECT_EQ((*parts)[1].body, "\x89PNG\r\n--x\r\n");
  EXPECT_EQ((*parts)[2].filename, "");
  EXPECT_EQ((*parts)[2].body, "");
  EXPECT_TRUE(read_form_parts(kType, "--x y--")->empty());
}

TEST(Multipart, WhatIsNoFormIsRefused) {
  const std::string long_head = "--b\r\nContent-Disposition: form-data; name=a\r\nX: " + std::string(9000, 'x') +
                                "\r\n\r\n1\r\n--b--";
  std::string many = "--b";
  for (int i = 0; i < 501; ++i) many += "\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b";
  for (const auto& [type, body, why] : std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"multipart/form-data", "--b--", "boundary"},
           {"multipart/form-data; boundary=", "--", "boundary"},
           {"multipart/form-data; boundary=" + std::string(71, 'b'), "--b--", "boundary"},
           {"multipart/form-data; boundary=b", "", "begin"},
           {"multipart/form-data; boundary=b", "preamble\r\n--b--", "begin"},
           {"multipart/form-data; boundary=b", "--bb--", "neither"},
           {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "not end"},
           {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n--b--", "head"},
           {"multipart/form-data; boundary=b", "--b\r\n\r\n1\r\n--b--", "no name"},
           {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name\r\n\r\n1\r\n--b--", "no name"},
           {"multipart/form-data; boundary=b", long_head, "head"},
           {"multipart/form-data; boundary=b", many, "500"}}) {
    const auto parts = read_form_parts(type, body);
    ASSERT_FALSE(parts.has_value()) << body.substr(0, 100);
    EXPECT_THAT(parts.error().message(), HasSubstr(why)) << body.substr(0, 100);
  }
}

}  // namespace
}  // namespace holdfast::net
