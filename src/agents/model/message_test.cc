// Messages as they are stored: one form, which comes back as it went, and what is none is refused.

#include "model/message.h"

#include <gtest/gtest.h>

namespace holdfast::model {
namespace {

TEST(Message, HasOneFormInJson) {
  Message message = Message::assistant("text \"x\" €", {ToolCall("c1", "lookup", R"({"order": )")});
  const std::string json = to_json(message);
  EXPECT_EQ(json, R"({"role":"assistant","content":[{"type":"text","text":"text \"x\" €"}],)"
                  R"("tool_calls":[{"id":"c1","name":"lookup","arguments":"{\"order\": "}]})");
  EXPECT_EQ(to_json(*message_from_json(json)), json);
  const std::string tool = to_json(Message::tool("c1", "no", true));
  EXPECT_EQ(tool,
            R"({"role":"tool","content":[{"type":"text","text":"no"}],"tool_call_id":"c1","is_error":true})");
  EXPECT_TRUE(message_from_json(tool)->is_error);
  const std::string image = R"({"role":"user","content":[{"type":"image","url":"u"}]})";
  EXPECT_EQ(to_json(*message_from_json(image)), image);
  for (const char* bad : {"[]", "{", R"({"role":"boss"})", R"({"role":"user","content":7})",
                          R"({"role":"tool","is_error":1})"}) {
    EXPECT_EQ(message_from_json(bad).error().code(), Code::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace holdfast::model
