using Xunit.Abstractions;
using Xunit.Sdk;

namespace Spotter.Tests;

/// <summary>
/// What the subclass of a suite can't do without, such as a server: put on the class, it makes each of its
/// <see cref="SuiteFactAttribute"/> and <see cref="SuiteTheoryAttribute"/> count as skipped where it is not there.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class NeedsAttribute : Attribute
{
    /// <summary>What is not here; null when all is.</summary>
    public abstract string? Missing { get; }

    internal static string? MissingFor(ITestMethod method) =>
        method.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute))
            .Select(found => ((NeedsAttribute)((ReflectionAttributeInfo)found).Attribute).Missing)
            .FirstOrDefault(missing => missing is not null);
}

/// <summary>A fact of a suite, whose subclasses may need what is not here.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Spotter.Tests.SuiteFactDiscoverer", "Spotter.Tests")]
public sealed class SuiteFactAttribute : FactAttribute;

/// <summary>As <see cref="SuiteFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Spotter.Tests.SuiteTheoryDiscoverer", "Spotter.Tests")]
public sealed class SuiteTheoryAttribute : TheoryAttribute;

public sealed class SuiteFactDiscoverer(IMessageSink diagnostics) : FactDiscoverer(diagnostics)
{
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        NeedsAttribute.MissingFor(testMethod) is null
            ? base.CreateTestCase(discoveryOptions, testMethod, factAttribute)
            : new SkippedTestCase(DiagnosticMessageSink, discoveryOptions, testMethod);
}

public sealed class SuiteTheoryDiscoverer(IMessageSink diagnostics) : TheoryDiscoverer(diagnostics)
{
    public override IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo theoryAttribute) =>
        NeedsAttribute.MissingFor(testMethod) is null
            ? base.Discover(discoveryOptions, testMethod, theoryAttribute)
            : [new SkippedTestCase(DiagnosticMessageSink, discoveryOptions, testMethod)];
}

/// <summary>A test, or all cases of one, that could not be run here.</summary>
public sealed class SkippedTestCase : XunitTestCase
{
#pragma warning disable CS0618 // For the test framework alone, which fills in the rest.
    public SkippedTestCase()
    {
    }
#pragma warning restore CS0618

    internal SkippedTestCase(IMessageSink diagnostics, ITestFrameworkDiscoveryOptions options, ITestMethod method)
        : base(diagnostics, options.MethodDisplayOrDefault(), options.MethodDisplayOptionsOrDefault(), method)
    {
    }

    protected override string? GetSkipReason(IAttributeInfo factAttribute) => NeedsAttribute.MissingFor(TestMethod);
}
