#include "api/enum_name.h"

#include <gtest/gtest.h>

#include "api/messages.h"

namespace holdfast::api {
namespace {

TEST(EnumName, IsTemporalsOrTheNumber) {
  const auto& commands = *enums::CommandType_descriptor();
  EXPECT_EQ(enum_name(commands, enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, "COMMAND_TYPE_"),
            "ScheduleActivityTask");
  EXPECT_EQ(enum_name(commands, enums::COMMAND_TYPE_UNSPECIFIED, "COMMAND_TYPE_"), "Unspecified");
  EXPECT_EQ(enum_name(commands, 99, "COMMAND_TYPE_"), "99");
  EXPECT_EQ(enum_name(commands, -1, "COMMAND_TYPE_"), "-1");
  EXPECT_EQ(enum_name(commands, enums::COMMAND_TYPE_START_TIMER, "NO_PREFIX_OF_IT_"),
            "CommandTypeStartTimer");
}

}  // namespace
}  // namespace holdfast::api
