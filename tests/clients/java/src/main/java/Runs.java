import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Temporal's Java SDK (gRPC on Netty) against the server at args[0]: a client, and a worker with a timer and an activity. */
public final class Runs {
  @WorkflowInterface
  public interface Measuring {
    @WorkflowMethod
    int run(String text);
  }

  @ActivityInterface
  public interface Measure {
    int length(String text);
  }

  public static final class MeasuringWorkflow implements Measuring {
    private final Measure measure =
        Workflow.newActivityStub(Measure.class, ActivityOptions.newBuilder().setStartToCloseTimeout(Duration.ofSeconds(30)).build());

    @Override
    public int run(String text) {
      Workflow.sleep(Duration.ofMillis(20));
      return measure.length(text);
    }
  }

  public static void main(String[] args) throws Exception {
    WorkflowServiceStubs service =
        WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder().setTarget(args[0]).build());
    WorkflowClient client = WorkflowClient.newInstance(service);
    WorkerFactory workers = WorkerFactory.newInstance(client);
    Worker worker = workers.newWorker("java");
    worker.registerWorkflowImplementationTypes(MeasuringWorkflow.class);
    worker.registerActivitiesImplementations((Measure) String::length);
    workers.start();
    for (int size : new int[] {1, 20_000, 70_000, 1_000_000}) {
      Measuring run = client.newWorkflowStub(Measuring.class, WorkflowOptions.newBuilder().setTaskQueue("java").build());
      int length = run.run("x".repeat(size));
      if (length != size) throw new AssertionError(size + " characters came back as " + length);
    }
    workers.shutdown();
    workers.awaitTermination(20, TimeUnit.SECONDS);
    service.shutdown();
  }
}
