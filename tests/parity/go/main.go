// A worker and a client of Temporal's Go SDK, for tests/parity/test_go.py: runs one workflow from start to end, reads
// everything back as Go programs do, and idles for a while with its worker on. Whatever the SDK warns about goes to
// standard error, one line each; the test wants none.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// logger keeps what the SDK's own would say from its level "warn" on.
type logger struct{}

func (logger) Debug(string, ...interface{}) {}
func (logger) Info(string, ...interface{})  {}
func (logger) Warn(text string, fields ...interface{}) {
	fmt.Fprintln(os.Stderr, append([]interface{}{"WARN", text}, fields...)...)
}
func (logger) Error(text string, fields ...interface{}) {
	fmt.Fprintln(os.Stderr, append([]interface{}{"ERROR", text}, fields...)...)
}

func greet(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

func talk(ctx workflow.Context, name string) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	var greeting string
	if err := workflow.ExecuteActivity(ctx, greet, name).Get(ctx, &greeting); err != nil {
		return "", err
	}
	if err := workflow.SetQueryHandler(ctx, "greeting", func() (string, error) { return greeting, nil }); err != nil {
		return "", err
	}
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return greeting, nil
}

func check(what string, err error) {
	if err != nil {
		fmt.Println(what+":", err)
		os.Exit(1)
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	address, queue := os.Args[1], os.Args[2]
	c, err := client.Dial(client.Options{HostPort: address, Logger: logger{}})
	check("dial", err)
	defer c.Close()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflowWithOptions(talk, workflow.RegisterOptions{Name: "Talk"})
	w.RegisterActivity(greet)
	check("worker", w.Start())

	options := client.StartWorkflowOptions{ID: queue, TaskQueue: queue, WorkflowExecutionErrorWhenAlreadyStarted: true}
	run, err := c.ExecuteWorkflow(ctx, options, "Talk", "Ada")
	check("start", err)
	_, err = c.ExecuteWorkflow(ctx, options, "Talk", "Ada")
	if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		check("second start", fmt.Errorf("not an already-started error: %v", err))
	}
	_, err = c.QueryWorkflow(ctx, queue, "", "__stack_trace")
	check("query", err)
	described, err := c.DescribeWorkflow(ctx, queue, "")
	check("describe", err)
	fmt.Println("status", described.Status, "attributes", described.TypedSearchAttributes.Size())
	_, err = c.DescribeWorkflowExecution(ctx, queue, run.GetRunID())
	check("describe execution", err)
	check("signal", c.SignalWorkflow(ctx, queue, "", "end", nil))
	var greeting string
	check("result", run.Get(ctx, &greeting))
	described, err = c.DescribeWorkflow(ctx, queue, "")
	check("describe closed", err)
	fmt.Println("status", described.Status, "result", greeting)
	events := 0
	for iter := c.GetWorkflowHistory(ctx, queue, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); iter.HasNext(); events++ {
		_, err = iter.Next()
		check("history", err)
	}
	fmt.Println("events", events)
	_, err = c.DescribeTaskQueueEnhanced(ctx, client.DescribeTaskQueueEnhancedOptions{
		TaskQueue: queue, TaskQueueTypes: []client.TaskQueueType{client.TaskQueueTypeWorkflow}, ReportStats: true, ReportPollers: true,
	})
	check("describe queue", err)
	_, err = c.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: "default", TaskQueue: &taskqueue.TaskQueue{Name: queue},
	})
	check("describe queue as before", err)
	time.Sleep(3 * time.Second) // a worker that is refused something says so once a second
	w.Stop()
	fmt.Println("done")
}
