import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Predicate;

import org.cloudfoundry.client.CloudFoundryClient;
import org.cloudfoundry.client.v3.Relationship;
import org.cloudfoundry.client.v3.Resource;
import org.cloudfoundry.client.v3.ToOneRelationship;
import org.cloudfoundry.client.v3.applications.ApplicationRelationships;
import org.cloudfoundry.client.v3.applications.ApplicationResource;
import org.cloudfoundry.client.v3.applications.CreateApplicationRequest;
import org.cloudfoundry.client.v3.applications.DeleteApplicationRequest;
import org.cloudfoundry.client.v3.applications.GetApplicationProcessRequest;
import org.cloudfoundry.client.v3.applications.ListApplicationsRequest;
import org.cloudfoundry.client.v3.applications.SetApplicationCurrentDropletRequest;
import org.cloudfoundry.client.v3.applications.StartApplicationRequest;
import org.cloudfoundry.client.v3.builds.BuildState;
import org.cloudfoundry.client.v3.builds.CreateBuildRequest;
import org.cloudfoundry.client.v3.builds.GetBuildRequest;
import org.cloudfoundry.client.v3.deployments.ListDeploymentsRequest;
import org.cloudfoundry.client.v3.domains.ListDomainsRequest;
import org.cloudfoundry.client.v3.droplets.GetDropletRequest;
import org.cloudfoundry.client.v3.organizations.ListOrganizationsRequest;
import org.cloudfoundry.client.v3.packages.CreatePackageRequest;
import org.cloudfoundry.client.v3.packages.GetPackageRequest;
import org.cloudfoundry.client.v3.packages.PackageRelationships;
import org.cloudfoundry.client.v3.packages.PackageState;
import org.cloudfoundry.client.v3.packages.PackageType;
import org.cloudfoundry.client.v3.packages.UploadPackageRequest;
import org.cloudfoundry.client.v3.processes.GetProcessStatisticsRequest;
import org.cloudfoundry.client.v3.processes.ProcessState;
import org.cloudfoundry.client.v3.routes.Application;
import org.cloudfoundry.client.v3.routes.CreateRouteRequest;
import org.cloudfoundry.client.v3.routes.Destination;
import org.cloudfoundry.client.v3.routes.InsertRouteDestinationsRequest;
import org.cloudfoundry.client.v3.routes.RouteRelationships;
import org.cloudfoundry.client.v3.spaces.ListSpacesRequest;
import org.cloudfoundry.client.v3.tasks.CreateTaskRequest;
import org.cloudfoundry.client.v3.tasks.GetTaskRequest;
import org.cloudfoundry.client.v3.tasks.TaskState;
import org.cloudfoundry.reactor.DefaultConnectionContext;
import org.cloudfoundry.reactor.client.ReactorCloudFoundryClient;
import org.cloudfoundry.reactor.tokenprovider.PasswordGrantTokenProvider;
import org.cloudfoundry.util.JobUtils;
import org.cloudfoundry.util.PaginationUtils;

import reactor.core.publisher.Mono;

/** Pushes an app, or deletes it, through the library's v3 calls; says each step in a line. */
public final class Push {

    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final CloudFoundryClient client;

    private Push(CloudFoundryClient client) {
        this.client = client;
    }

    /** push HOST PORT USER PASSWORD APP SPACE DOMAIN ZIP, or: delete HOST PORT USER PASSWORD APP. */
    public static void main(String[] words) {
        DefaultConnectionContext connection = DefaultConnectionContext.builder()
            .apiHost(words[1])
            .port(Integer.parseInt(words[2]))
            .secure(false)
            .build();
        try {
            Push push = new Push(ReactorCloudFoundryClient.builder()
                .connectionContext(connection)
                .tokenProvider(PasswordGrantTokenProvider.builder().username(words[3]).password(words[4]).build())
                .build());
            switch (words[0]) {
                case "push" -> push.push(words[5], words[6], words[7], Path.of(words[8]));
                case "delete" -> push.delete(words[5]);
                default -> throw new IllegalArgumentException("Say push or delete, not " + words[0] + ".");
            }
        } finally {
            connection.dispose();
        }
    }

    private void push(String name, String spaceName, String domainName, Path zip) {
        String space = this.space(spaceName);
        String app = this.create(name, space);
        String droplet = this.build(this.upload(app, zip));
        this.use(app, droplet);
        this.route(app, name, space, this.domain(domainName));
        this.start(app);
        this.task(app);
    }

    /** Look for the space in every organization that the user sees. */
    private String space(String name) {
        String[] organizations = PaginationUtils.requestClientV3Resources(page -> this.client.organizationsV3()
                .list(ListOrganizationsRequest.builder().page(page).build()))
            .map(Resource::getId)
            .collectList().block().toArray(String[]::new);
        say("organizations", organizations.length);
        String space = PaginationUtils.requestClientV3Resources(page -> this.client.spacesV3()
                .list(ListSpacesRequest.builder().organizationIds(organizations).name(name).page(page).build()))
            .single().block().getId();
        return say("space", space);
    }

    private String create(String name, String space) {
        return say("app", this.client.applicationsV3()
            .create(CreateApplicationRequest.builder()
                .name(name)
                .relationships(ApplicationRelationships.builder().space(one(space)).build())
                .build())
            .block().getId());
    }

    private String upload(String app, Path zip) {
        String bits = this.client.packages()
            .create(CreatePackageRequest.builder()
                .type(PackageType.BITS)
                .relationships(PackageRelationships.builder().application(one(app)).build())
                .build())
            .block().getId();
        this.client.packages().upload(UploadPackageRequest.builder().packageId(bits).bits(zip).build()).block();
        await(this.client.packages().get(GetPackageRequest.builder().packageId(bits).build()),
            found -> found.getState() == PackageState.READY, found -> found.getState() == PackageState.FAILED);
        return say("package", bits);
    }

    private String build(String bits) {
        String build = this.client.builds()
            .create(CreateBuildRequest.builder().getPackage(Relationship.builder().id(bits).build()).build())
            .block().getId();
        String droplet = await(this.client.builds().get(GetBuildRequest.builder().buildId(build).build()),
            found -> found.getState() == BuildState.STAGED, found -> found.getState() == BuildState.FAILED)
            .getDroplet().getId();
        say("build", build);
        say("processes", this.client.droplets()
            .get(GetDropletRequest.builder().dropletId(droplet).build())
            .block().getProcessTypes());
        return say("droplet", droplet);
    }

    private void use(String app, String droplet) {
        say("current", this.client.applicationsV3()
            .setCurrentDroplet(SetApplicationCurrentDropletRequest.builder()
                .applicationId(app)
                .data(Relationship.builder().id(droplet).build())
                .build())
            .block().getData().getId());
    }

    private String domain(String name) {
        return say("domain", PaginationUtils.requestClientV3Resources(page -> this.client.domainsV3()
                .list(ListDomainsRequest.builder().page(page).build()))
            .filter(domain -> domain.getName().equals(name))
            .single().block().getId());
    }

    private void route(String app, String host, String space, String domain) {
        String route = this.client.routesV3()
            .create(CreateRouteRequest.builder()
                .host(host)
                .relationships(RouteRelationships.builder().domain(one(domain)).space(one(space)).build())
                .build())
            .block().getId();
        say("route", route);
        say("destinations", this.client.routesV3()
            .insertDestinations(InsertRouteDestinationsRequest.builder()
                .routeId(route)
                .destination(Destination.builder()
                    .application(Application.builder().applicationId(app).build())
                    .build())
                .build())
            .block().getDestinations().size());
    }

    private void start(String app) {
        say("state", this.client.applicationsV3()
            .start(StartApplicationRequest.builder().applicationId(app).build())
            .block().getState());
        String process = this.client.applicationsV3()
            .getProcess(GetApplicationProcessRequest.builder().applicationId(app).type("web").build())
            .block().getId();
        say("running", await(
            this.client.processes().getStatistics(GetProcessStatisticsRequest.builder().processId(process).build()),
            found -> !found.getResources().isEmpty()
                && found.getResources().stream().allMatch(each -> each.getState() == ProcessState.RUNNING),
            found -> found.getResources().stream().anyMatch(each -> each.getState() == ProcessState.CRASHED))
            .getResources().size());
        say("deployments", PaginationUtils.requestClientV3Resources(page -> this.client.deploymentsV3()
                .list(ListDeploymentsRequest.builder().applicationId(app).page(page).build()))
            .count().block());
    }

    private void task(String app) {
        String task = this.client.tasks()
            .create(CreateTaskRequest.builder().applicationId(app).command("echo once").name("once").build())
            .block().getId();
        say("task", await(this.client.tasks().get(GetTaskRequest.builder().taskId(task).build()),
            found -> found.getState() == TaskState.SUCCEEDED, found -> found.getState() == TaskState.FAILED)
            .getState());
    }

    private void delete(String name) {
        ApplicationResource app = PaginationUtils.requestClientV3Resources(page -> this.client.applicationsV3()
                .list(ListApplicationsRequest.builder().name(name).page(page).build()))
            .single().block();
        String job = this.client.applicationsV3()
            .delete(DeleteApplicationRequest.builder().applicationId(app.getId()).build())
            .block();
        JobUtils.waitForCompletion(this.client, PATIENCE, job).block();
        say("deleted", app.getId());
    }

    /** Ask again until it is as wanted; fail at once where it never will be. */
    private static <T> T await(Mono<T> asked, Predicate<T> wanted, Predicate<T> hopeless) {
        return asked
            .doOnNext(found -> {
                if (hopeless.test(found)) {
                    throw new IllegalStateException("This went wrong: " + found);
                }
            })
            .filter(wanted)
            .repeatWhenEmpty(Integer.MAX_VALUE, empties -> empties.delayElements(PAUSE))
            .block(PATIENCE);
    }

    private static ToOneRelationship one(String guid) {
        return ToOneRelationship.builder().data(Relationship.builder().id(guid).build()).build();
    }

    private static <T> T say(String step, T what) {
        System.out.println(step + " " + what);
        return what;
    }
}
