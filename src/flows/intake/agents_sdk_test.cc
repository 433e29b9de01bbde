// Goal: code of the Agents SDK becomes files of its agents and a flow of what it runs, unexecuted, and the
// rest is told. Method: small programs of our own in the shapes that Agent Builder writes.

#include "intake/agents_sdk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "intake/code_reader.h"

namespace holdfast::flows {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr std::string_view kPython = R"py(
from agents import Agent, HostedMCPTool, ModelSettings, Runner, WebSearchTool, trace

# Agent(name="not this one")
search = WebSearchTool(search_context_size="medium")
mcp = HostedMCPTool(tool_config={"type": "mcp", "server_label": "Shop API", "server_url": "https://mcp.example/sse"})

class Kind(BaseModel):
  kind: str

sorter = Agent(
  name="Sorter",
  instructions="""Say which kind it is.
One word.""",
  model="gpt-4.1-mini",
  output_type=Kind,
  model_settings=ModelSettings(temperature=0.5, top_p=1, max_tokens=2048, store=True),
)
writer: Agent = Agent(name="Writer", instructions="Write " "it.", tools=[search, mcp], handoffs=[sorter])
maker = Agent(name="Maker", instructions=f"For {user}", model=MODEL)

async def run_workflow(workflow_input: WorkflowInput):
  with trace("Support desk"):
    history = [{"role": "user"}]
    sorted_result = await Runner.run(sorter, input=[*history])
    history.extend([item.to_input_item() for item in sorted_result.new_items])
    if sorted_result["kind"] == "return":
      written = await Runner.run(writer, input=[*history])
)py";

std::vector<std::string> notes_of(const ImportedFlow& flow, ImportNote::Kind kind) {
  std::vector<std::string> out;
  for (const ImportNote& one : flow.notes) {
    if (one.kind == kind) out.push_back(one.of + ": " + one.what);
  }
  return out;
}

std::string file(const ImportedFlow& flow, const std::string& name) {
  for (const auto& [file, text] : flow.agents) {
    if (file == name) return text;
  }
  ADD_FAILURE() << "no file " << name;
  return "";
}

TEST(AgentsSdk, ReadsPython) {
  const auto flow = import_agents_sdk(kPython, "desk.py", "");
  ASSERT_TRUE(flow) << flow.error().message();
  EXPECT_EQ(flow->name, "support-desk");
  ASSERT_EQ(flow->agents.size(), 3U);
  const std::string sorter = file(*flow, "sorter.yaml");
  EXPECT_THAT(sorter, HasSubstr("name: gpt-4.1-mini"));
  EXPECT_THAT(sorter, HasSubstr("Say which kind it is.\n"));
  EXPECT_THAT(sorter, HasSubstr("temperature: 0.5"));
  EXPECT_THAT(sorter, HasSubstr("max_tokens: 2048"));
  const std::string writer = file(*flow, "writer.yaml");
  EXPECT_THAT(writer, HasSubstr("prompt: Write it."));
  EXPECT_THAT(writer, HasSubstr("url: \"https://mcp.example/sse\""));
  EXPECT_THAT(writer, HasSubstr("agent: sorter"));
  EXPECT_THAT(flow->yaml, HasSubstr("{agent: writer, arguments: {input: \"{{ blocks.sorter }}\"}}"));
  const auto left_out = notes_of(*flow, ImportNote::Kind::kLeftOut);
  for (const char* told :
       {"Sorter: the model setting `top_p`: 1", "Sorter: the type of its answer, `Kind`",
        "Writer: the tool `search` (", "Maker: instructions that are computed: f\"For {user}\"",
        "`if sorted_result[\"kind\"] == \"return\":`"})
    EXPECT_THAT(left_out, Contains(HasSubstr(told)));
  EXPECT_THAT(notes_of(*flow, ImportNote::Kind::kCheck),
              Contains(HasSubstr("Maker: its model is computed (MODEL)")));
}

constexpr std::string_view kTypeScript = R"ts(
import { Agent, AgentInputItem, Runner, webSearchTool, withTrace } from "@openai/agents";
/* new Agent({name: "no"}) */
const webSearch = webSearchTool({ searchContextSize: "low" })
const MySchema = z.object({ kind: z.string() });
const first = new Agent({
  name: "First one",
  instructions: `Be \`kind\`.`,
  model: "gpt-5",
  tools: [webSearch],
  outputType: MySchema,
  modelSettings: { reasoning: { effort: "low" }, store: true }
});
const second: Agent<unknown> = new Agent({ name: 'Second', instructions: "Go" + " on", model: "gpt-4.1" });

export const runWorkflow = async (workflow: WorkflowInput) => {
  return await withTrace("My flow", async () => {
    const runner = new Runner({ traceMetadata: { __trace_source__: "agent-builder" } });
    const a = await runner.run(first, [...conversationHistory]);
    if (!a.finalOutput) { throw new Error("undefined"); }
    const b = await runner.run(second, []);
    while (approvalRequest("May I?")) { }
  });
}
)ts";

TEST(AgentsSdk, ReadsTypeScript) {
  const auto flow = import_agents_sdk(kTypeScript, "flow.ts", "");
  ASSERT_TRUE(flow) << flow.error().message();
  EXPECT_EQ(flow->name, "my-flow");
  ASSERT_EQ(flow->agents.size(), 2U);
  EXPECT_THAT(file(*flow, "first-one.yaml"), HasSubstr("Be `kind`."));
  EXPECT_THAT(file(*flow, "second.yaml"), HasSubstr("prompt: Go on"));
  EXPECT_EQ(flow->nodes, 2U);
  const auto left_out = notes_of(*flow, ImportNote::Kind::kLeftOut);
  EXPECT_THAT(left_out, Contains(HasSubstr("the model setting `reasoning`: {\"effort\":\"low\"}")));
  EXPECT_THAT(left_out, Contains(HasSubstr("while (approvalRequest")));
  EXPECT_THAT(left_out, ::testing::Not(Contains(HasSubstr("finalOutput"))));
}

TEST(AgentsSdk, IsNothingElse) {
  for (const char* text :
       {"", "print('x')", "Agent", "Agent(", "x = Agent(name=", "((((((", "\"", "new Agent({", "`${"}) {
    const auto flow = import_agents_sdk(text, "f.py", "");
    if (flow) EXPECT_LE(flow->agents.size(), 1U);
  }
  // As deep as anybody likes.
  const auto deep =
      import_agents_sdk("x = Agent(name=\"a\", tools=" + std::string(20000, '[') + ")", "f.py", "");
  EXPECT_TRUE(deep) << deep.error().message();
}

TEST(CodeReader, KeepsWhatIsComputed) {
  const std::string code = "f(a=1 + 2, b=[x, *y], c={**d, 'e': g(h)[0]}, i=-3)";
  const auto tokens = code_tokens(code, true);
  std::size_t at = 2;
  const auto call = CodeReader(code, tokens).call("f", at);
  EXPECT_EQ(call["named"]["a"]["$code"], "1 + 2");
  EXPECT_EQ(call["named"]["b"][1]["$code"], "*y");
  EXPECT_EQ(call["named"]["c"]["e"]["$code"], "g(h)[0]");
  EXPECT_EQ(call["named"]["i"]["$code"], "-3");
  EXPECT_EQ(at, tokens.size());
}

}  // namespace
}  // namespace holdfast::flows
