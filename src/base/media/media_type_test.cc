// Goal: bytes are what they are, whatever they are called.

#include "media/media_type.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using namespace std::string_literals;

TEST(MediaType, BytesSayWhatTheyAre) {
  EXPECT_EQ(media_type_of("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\b\x02\0\0\0"s), "image/png");
  EXPECT_EQ(media_type_of("\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01"s), "image/jpeg");
  EXPECT_EQ(media_type_of("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "application/pdf");
  EXPECT_EQ(media_type_of("PK\x03\x04\x14\0\0\0\b\0"s + std::string(100, '\0')), "application/zip");
  EXPECT_EQ(media_type_of("hello, all\n"), "text/plain");
  EXPECT_EQ(media_type_of("MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"s + std::string(200, '\0')),
            "application/x-dosexec");
  EXPECT_NE(media_type_of("\x7f"s + "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0"s), "image/png");
  EXPECT_EQ(media_type_of("\x01\x02\x03"), "application/octet-stream");
}

}  // namespace
}  // namespace holdfast
