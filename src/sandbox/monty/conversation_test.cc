// Goal: values go to Monty and come back as they are, and whatever its process says is a result, a failure or
// an error, in bounded space. Method: events made by hand, as a process that was taken over might say them.

#include "monty/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "holdfast/monty/v1/worker.pb.h"
#include "monty/arena.h"
#include "monty/result.h"
#include "wire/frame.h"

namespace holdfast::sandbox {
namespace {

namespace pb = holdfast::monty::v1;
using ::testing::HasSubstr;
using ::testing::StartsWith;

pb::Arena arena_of(const std::string& bytes) {
  pb::Arena arena;
  EXPECT_TRUE(arena.ParseFromString(bytes));
  return arena;
}

std::string told(const Reply& reply) {
  if (!reply.failure) return reply.result;
  std::string out(fault_name(reply.failure->fault));
  if (reply.failure->line > 0)
    out += " " + std::to_string(reply.failure->line) + ":" + std::to_string(reply.failure->column);
  return out + " " + reply.failure->message;
}

std::string json_of(const pb::Arena& arena, std::uint32_t root, std::size_t most = 1 << 20) {
  Reply reply;
  const Status status = write_result(arena.SerializeAsString(), root, most, reply);
  return status.ok() ? told(reply) : status.to_string();
}

// There and back: what it says is written as it was read.
std::string through(const std::string& value) {
  const auto inputs = inputs_of("{\"a\":" + value + "}", false);
  if (!inputs) return inputs.error().message;
  Reply reply;
  const Status status = write_result(inputs->arena, inputs->names.front().second, 1 << 20, reply);
  return status.ok() ? told(reply) : status.to_string();
}

TEST(MontyValues, StayAsTheyAre) {
  const std::string large = "1" + std::string(298, '7');
  for (const std::string& value :
       {std::string("null"), std::string("true"), std::string("0"), std::string("-1"),
        std::string("9223372036854775807"), std::string("-9223372036854775808"),
        std::string("9223372036854775808"), std::string("-18446744073709551616"),
        std::string("1606938044258990275541962092341162602522202993782792835301376"), large, "-" + large,
        std::string("1.5"), std::string("-0.0"), std::string("1e+300"), std::string("\"ä\\u0000\\\"\""),
        std::string("[]"), std::string("{}"), std::string("[[1,[2]],{\"b\":{\"c\":[null]},\"a\":1}]")})
    EXPECT_EQ(through(value), value);
}

TEST(MontyValues, BytesThatAreNoTextAreReplaced) {
  pb::Arena arena;
  arena.add_nodes()->set_text("a\xff");
  EXPECT_EQ(json_of(arena, 0), "\"a\xEF\xBF\xBD\"");
}

TEST(MontyValues, InputsAreNamesAndJson) {
  const auto refused = [](const std::string& json) {
    const auto inputs = inputs_of(json, false);
    return inputs ? "taken" : std::string(fault_name(inputs.error().fault)) + " " + inputs.error().message;
  };
  EXPECT_THAT(refused(R"({"class":1})"), StartsWith("invalid_input an input is called 'class'"));
  EXPECT_THAT(refused(R"({"a b":1})"), StartsWith("invalid_input an input is called 'a b'"));
  EXPECT_THAT(refused("[1]"), StartsWith("invalid_input the inputs are no JSON object"));
  EXPECT_THAT(refused("1"), StartsWith("invalid_input the inputs are no JSON object"));
  EXPECT_THAT(refused(R"({"a":)"), StartsWith("invalid_input the inputs are no JSON"));
  EXPECT_THAT(refused(std::string("{\"a\":1\0}", 8)), HasSubstr("NUL"));
  EXPECT_THAT(refused("{\"a\":" + std::string(300, '1') + "}"), HasSubstr("more than 299 digits"));
  EXPECT_THAT(refused("{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}"),
              HasSubstr("nest deeper"));
  EXPECT_EQ(refused(R"({"a":1,"a":2,"ä":3})"), "taken");
}

TEST(MontyValues, DecimalsAreTextWhereAsked) {
  const auto inputs = inputs_of(R"({"a":1.10})", true);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(arena_of(inputs->arena).nodes(0).text(), "1.10");
}

TEST(MontyValues, WhatJsonDoesNotHaveIsTold) {
  pb::Arena arena;
  arena.add_nodes()->set_text("a");
  arena.add_nodes()->set_number(std::numeric_limits<double>::quiet_NaN());
  pb::Pair* pair = arena.add_nodes()->mutable_dict()->add_pairs();
  pair->set_key(0);
  pair->set_value(1);
  arena.add_nodes()->mutable_list()->add_items(2);
  EXPECT_EQ(json_of(arena, 3), "no_json_result the result's [0].a is NaN, which JSON does not have");
  arena.add_nodes()->mutable_set()->add_items(0);
  EXPECT_EQ(json_of(arena, 4),
            "no_json_result the result is of type set, which JSON does not have: return list(it)");
  arena.add_nodes()->set_cycle("[...]");
  EXPECT_THAT(json_of(arena, 5), HasSubstr("or holds itself"));
  arena.add_nodes()->mutable_large_integer()->set_magnitude(std::string(200, '\x7f'));
  EXPECT_THAT(json_of(arena, 6), HasSubstr("more than 299 digits"));
  pair->set_key(1);
  EXPECT_THAT(json_of(arena, 2), HasSubstr("keys are text"));
}

TEST(MontyValues, WhatIsSharedIsBounded) {
  pb::Arena arena;
  arena.add_nodes()->set_integer(1);
  for (std::uint32_t i = 0; i < 60; ++i) {
    auto* items = arena.add_nodes()->mutable_list();
    items->add_items(i);
    items->add_items(i);
  }
  EXPECT_EQ(json_of(arena, 60), "output_limit its result is longer than 1048576 bytes");
  for (std::uint32_t i = 60; i < 200; ++i) arena.add_nodes()->mutable_list()->add_items(i);
  EXPECT_THAT(json_of(arena, 200), StartsWith("no_json_result the result nests deeper"));
}

TEST(MontyValues, WhatIsNoArenaIsDataLoss) {
  pb::Arena arena;
  arena.add_nodes()->mutable_list()->add_items(0);  // itself
  EXPECT_THAT(json_of(arena, 0), HasSubstr("no value"));
  EXPECT_THAT(json_of(arena, 7), HasSubstr("no value"));
  arena.add_nodes()->mutable_list()->add_items(5);  // what comes later
  EXPECT_THAT(json_of(arena, 1), HasSubstr("no value"));
  Reply reply;
  for (const std::string& bytes : {std::string("\x12"), std::string("\x12\x7f"), std::string("\x12\x00", 2),
                                   std::string("\x12\x02\xff\xff"), std::string(1000, '\xff')})
    EXPECT_EQ(write_result(bytes, 0, 100, reply).code(), Code::kDataLoss);
}

class ConversationTest : public ::testing::Test {
 protected:
  ConversationTest() {
    request_.kind = Kind::kMonty;
    request_.limits = kPythonLimits;
    request_.limits.log_bytes = 10;
    request_.code = "a = 'ü'; b\nc";
  }
  std::string hear(const pb::Event& event) {
    auto next = conversation_.hear(event.SerializeAsString());
    return next ? *next : std::string(next.error().to_string());
  }
  pb::Request answer(const pb::Event& event) {
    const std::string bytes = hear(event);
    pb::Request out;
    EXPECT_TRUE(bytes.size() >= 4 && frame_size(bytes.substr(0, 4)) == bytes.size() - 4 &&
                out.ParseFromString(bytes.substr(4)));
    return out;
  }
  void configure() {
    ASSERT_TRUE(conversation_.begin());
    pb::Event ok;
    ok.mutable_ok();
    ASSERT_EQ(hear(ok), "");
  }
  Reply end() {
    pb::Event ok;
    ok.mutable_ok();
    EXPECT_EQ(hear(ok), "");
    EXPECT_TRUE(conversation_.is_over());
    return conversation_.take();
  }

  Request request_;
  Conversation conversation_{request_};
};

TEST_F(ConversationTest, HalfASurrogatePairIsToldWithItsPlace) {
  const auto said = [](const std::string& code) {
    Request request;
    request.inputs = "{}";
    request.code = code;
    const auto begun = Conversation(request).begin();
    if (begun) return std::string();
    Reply reply;
    reply.failure = begun.error();
    return told(reply);
  };
  EXPECT_THAT(said("x = 1\nreturn {'\\ud800': 1, '\\ufffd': 2}"),
              StartsWith("syntax_error 2:10 half a surrogate pair"));
  for (const char* code : {"'\\\\\\uDC00'", "\"\"\"a\n'\\U0000d800\"\"\"", "f'{x}\\udfff'",
                           "f(x)['\\ud83d\\ude00']", "'it' '# \\ud800'", "br = b''; u'\\ud800'"})
    EXPECT_NE(said(code), "") << code;
  for (const char* code :
       {"'\\\\ud800'", "r'\\ud800'", "# '\\ud800'\n1", "rb'\\ud800'", "'\\ud7ff\\ue000'", "'\\U0001f600'",
        "'", "'\\", "'\\ud80", "\"\"\"", "'a\n\\ud800", "'\\'' + r'\\ud800'"})
    EXPECT_EQ(said(code), "") << code;
}

TEST_F(ConversationTest, WhatIsOutsideIsNotThere) {
  configure();
  pb::Event event;
  event.mutable_name_lookup();
  EXPECT_TRUE(answer(event).resume_name_lookup().has_undefined());
  event.mutable_function_call()->set_function_name("send");
  event.mutable_function_call()->set_call_id(3);
  EXPECT_EQ(answer(event).resume_call().result().not_found(), "send");
  event.mutable_os_call()->set_call_id(4);
  pb::Request said = answer(event);
  EXPECT_TRUE(said.resume_call().result().has_not_handled());
  EXPECT_EQ(said.resume_call().call_id(), 4U);
  event.mutable_os_call()->mutable_sleep();
  EXPECT_THAT(answer(event).resume_call().result().error().message(), HasSubstr("`wait`"));
  for (int i = 0; i < 996; ++i) EXPECT_TRUE(answer(event).has_resume_call());
  EXPECT_TRUE(answer(event).has_abort_feed()) << "it asks without end";
}

TEST_F(ConversationTest, WhatItPrintsIsKeptAndCounted) {
  configure();
  pb::Event event;
  for (const char* text : {"one\n", "two", " thr\xC3\xA4\nx", "y\nz"}) {
    event.mutable_print()->clear_segments();
    event.mutable_print()->add_segments()->set_text(text);
    EXPECT_EQ(hear(event), "");
  }
  pb::Arena arena;
  arena.add_nodes()->set_integer(7);
  event.mutable_complete()->set_values(arena.SerializeAsString());
  EXPECT_TRUE(answer(event).has_reset());
  const Reply reply = end();
  EXPECT_EQ(reply.result, "7");
  EXPECT_EQ(reply.log, "one\ntwo th");
  EXPECT_EQ(reply.log_left_out, 3U);
  EXPECT_FALSE(reply.last);
}

TEST_F(ConversationTest, AnErrorHasItsPlaceInBytes) {
  configure();
  pb::Event event;
  pb::Raised& raised = *event.mutable_error()->mutable_exception();
  raised.set_exc_type("NameError");
  raised.set_message("name 'b' is not defined");
  pb::Frame& frame = *raised.add_traceback();
  frame.set_filename("<python-input-0>");
  frame.set_frame_name("<module>");
  frame.mutable_start()->set_line(1);
  frame.mutable_start()->set_column(10);
  EXPECT_TRUE(answer(event).has_reset());
  EXPECT_EQ(told(end()), "exception 1:11 name 'b' is not defined");
}

TEST_F(ConversationTest, WhatMontyDoesNotHaveIsToldBeforeItBegins) {
  configure();
  pb::Event event;
  pb::Raised& raised = *event.mutable_error()->mutable_exception();
  raised.set_exc_type("NotImplementedError");
  raised.set_message("The monty syntax parser does not yet support yield expressions");
  pb::Frame& frame = *raised.add_traceback();
  frame.set_filename("<python-input-0>");
  frame.mutable_start()->set_line(2);
  frame.mutable_start()->set_column(1);
  answer(event);
  EXPECT_EQ(told(end()),
            "syntax_error 2:1 The monty syntax parser does not yet support yield expressions; `language: "
            "python` has it");
}

TEST_F(ConversationTest, AnotherVersionIsToldAndItsProcessEnds) {
  ASSERT_TRUE(conversation_.begin());
  pb::Event event;
  event.mutable_fatal_error()->set_message("unsupported protocol version 6");
  EXPECT_EQ(hear(event), "");
  ASSERT_TRUE(conversation_.is_over());
  const Reply reply = conversation_.take();
  EXPECT_TRUE(reply.last);
  EXPECT_EQ(told(reply), "sandbox_died Monty gave up: unsupported protocol version 6");
}

TEST_F(ConversationTest, WhatMayNotComeIsDataLoss) {
  ASSERT_TRUE(conversation_.begin());
  pb::Event event;
  event.mutable_complete();
  EXPECT_THAT(hear(event), HasSubstr("not asked"));
  const auto rubbish = conversation_.hear("\xff\xff\xff");
  ASSERT_FALSE(rubbish);
  EXPECT_EQ(rubbish.error().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace holdfast::sandbox
