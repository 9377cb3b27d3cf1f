using Xunit.Abstractions;
using Xunit.Sdk;

[assembly: TestFramework("Spotter.Tests.TestsThatNeed", "Spotter.Tests")]

namespace Spotter.Tests;

/// <summary>A class of tests that needs something which not every machine has; all of its tests are counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class NeedsAttribute : Attribute
{
    /// <summary>What is missing, for people; null when nothing is.</summary>
    public abstract string? Missing { get; }
}

/// <summary>xunit, with <see cref="NeedsAttribute"/>: a suite whose tests are inherited can't say of each of them that it is skipped.</summary>
public sealed class TestsThatNeed(IMessageSink messages) : XunitTestFramework(messages)
{
    protected override ITestFrameworkDiscoverer CreateDiscoverer(IAssemblyInfo assemblyInfo) =>
        new Discoverer(assemblyInfo, SourceInformationProvider, DiagnosticMessageSink);

    private sealed class Discoverer(IAssemblyInfo assembly, ISourceInformationProvider sources, IMessageSink messages)
        : XunitTestFrameworkDiscoverer(assembly, sources, messages)
    {
        protected override bool FindTestsForMethod(
            ITestMethod testMethod, bool includeSourceInformation, IMessageBus messageBus, ITestFrameworkDiscoveryOptions discoveryOptions)
        {
            var needs = testMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute))
                .OfType<IReflectionAttributeInfo>().Select(a => ((NeedsAttribute)a.Attribute).Missing).FirstOrDefault(m => m is not null);
            if (needs is null || !testMethod.Method.GetCustomAttributes(typeof(FactAttribute)).Any())
                return base.FindTestsForMethod(testMethod, includeSourceInformation, messageBus, discoveryOptions);
            var skipped = new XunitSkippedDataRowTestCase(
                DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, needs);
            return ReportDiscoveredTestCase(skipped, includeSourceInformation, messageBus);
        }
    }
}
