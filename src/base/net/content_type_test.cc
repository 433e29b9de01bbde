// The header Content-Type: the type, its parameters, and which charsets are UTF-8.

#include "net/content_type.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

TEST(ContentType, IsATypeWithParameters) {
  EXPECT_EQ(media_type(" Application/JSON ; charset=x"), "application/json");
  EXPECT_EQ(parameter_of("a/b; x=1; Charset=\"UTF-16\"", "charset"), "utf-16");
  EXPECT_EQ(parameter_of("charset=utf-16", "charset"), "");
  for (const char* is : {"", "a/b", "a/b;charset=UTF-8", "a/b; charset=\"utf-8\"", "a/b; charset=us-ascii"})
    EXPECT_TRUE(is_utf8_text(is)) << is;
  for (const char* is : {"a/b;charset=utf-16", "a/b; charset=latin1", "a/b; x=1; CHARSET=iso-8859-1"})
    EXPECT_FALSE(is_utf8_text(is)) << is;
}

}  // namespace
}  // namespace holdfast::net
