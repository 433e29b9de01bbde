// What a run is given: a text, a document, or a message in parts, which are what they say or refused.

#include "activities/first_message.h"

#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

std::string first(const std::string& input) {
  const auto message = first_message(input);
  return message ? model::to_json(*message) : message.error().message();
}

TEST(FirstMessage, TextAndDocumentsAreSaidAsTheyAre) {
  for (const char* input :
       {"hello", "{", "[1]", R"({"content":"x"})", R"({"content":[]})", R"({"content":[7]})",
        R"({"content":[{"type":"text","text":"a"}],"more":1})", R"({"order":7})"}) {
    const auto message = first_message(input);
    ASSERT_TRUE(message) << input;
    EXPECT_EQ(message->text(), input);
  }
}

TEST(FirstMessage, PartsAreTextsImagesAndFiles) {
  EXPECT_EQ(first(R"({"content":[{"type":"text","text":"what is this?"},)"
                  R"({"type":"image","media_type":"image/png","data":"iVBORw0="},)"
                  R"({"type":"file","url":"https://example.com/a.pdf"}]})"),
            R"({"role":"user","content":[{"type":"text","text":"what is this?"},)"
            R"({"data":"iVBORw0=","media_type":"image/png","type":"image"},)"
            R"({"type":"file","url":"https://example.com/a.pdf"}]})");
}

TEST(FirstMessage, WhatIsNoPartIsRefused) {
  for (const char* part :
       {R"({"type":"opaque","block":{"type":"thinking"}})", R"({"type":"tool_call","call":0})",
        R"({"type":"image_url","image_url":{"url":"u"}})", R"({"type":"image"})",
        R"({"type":"text","text":7})", R"({"type":"text","text":"a","extra":{"cache_control":{}}})",
        R"({"type":"text"})", R"({"type":"text","text":"a","cache_control":{}})",
        R"({"type":"image","url":"https://e.com/a","detail":"low"})",
        R"({"type":"image","url":"file:///etc/passwd"})",
        R"({"type":"file","data":"!","media_type":"a/b"})"}) {
    const auto message = first_message(std::string(R"({"content":[)") + part + "]}");
    ASSERT_FALSE(message) << part;
    EXPECT_EQ(message.error().code(), Code::kInvalidArgument) << part;
  }
  std::string many = R"({"content":[{"type":"text","text":"a"})";
  for (int i = 0; i < 64; ++i) many += R"(,{"type":"text","text":"a"})";
  EXPECT_NE(first(many + "]}").find("at most 64"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::agent
